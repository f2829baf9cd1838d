"""The network of mdlm_cosine."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import Config
from .types import Vocab


def angles(place: Tensor, size: int, base: float = 10_000.0) -> tuple[Tensor, Tensor]:
    """cos and sin of the angles at `place`, each (..., size / 2) (arXiv:2104.09864)."""
    rate = base ** -(torch.arange(size // 2, device=place.device) * 2 / size)
    angle = place[..., None] * rate
    return angle.cos(), angle.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turns each pair of features of (..., L, D / H) by its angle."""
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)


def initialize(module: nn.Module) -> None:
    """Every map keeps the scale of what it reads; an embedding has length one."""
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=module.in_features**-0.5)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
    if isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=module.embedding_dim**-0.5)


def visible(valid: Tensor, causal: bool) -> Tensor:
    """Which sites each site attends to, (B, 1, L, L) bool, from (B, L) bool."""
    mask = valid[:, None, None, :].expand(-1, 1, valid.shape[1], -1)
    return mask.tril() if causal else mask


def perceptron(width: int) -> nn.Sequential:
    """Two maps, four times as wide between them."""
    return nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))


class Embed(nn.Module):
    """Tokens -> vectors; optionally with learned positions, and with linear maps of neighbours."""

    def __init__(self, vocab_size: int, width: int, positions: int, neighbours: int):
        super().__init__()
        self.token = nn.Embedding(vocab_size, width)
        self.position = nn.Embedding(positions, width) if positions else None
        self.mixing = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in range(neighbours))

    def forward(self, tokens: Tensor, valid: Tensor, place: Tensor) -> Tensor:
        """Neighbouring tokens at sites `place`, each (B, L) or (L,) -> (B, L, D)."""
        x = self.token(tokens)
        if self.position is not None:
            x = x + self.position(place)
        x = x * valid[..., None]
        pad = F.pad(x, (0, 0, 1, 1))  # (B, L + 2, D)
        beside = pad[:, :-2], pad[:, 2:]  # on the left, on the right
        return x + sum(mix(y) for mix, y in zip(self.mixing, beside, strict=False))


class Attention(nn.Module):
    """Attention over the sites of a row, with rotary positions."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Tensor, mask: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """(B, L, D) -> (B, L, D); `mask` (B, 1, L, L) is True where a site is seen."""
        return self.joined(*self.project(x, cos, sin), mask)

    def project(self, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values of (B, L, D), each (B, H, L, D / H)."""
        qkv = self.qkv(x).unflatten(-1, (3, self.heads, -1))
        qk, v = qkv.permute(2, 0, 3, 1, 4).split((2, 1))
        q, k = rotate(qk, cos, sin)
        return q, k, v[0]

    def joined(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
        """What the queries find, (B, L, D)."""
        found = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.out(found.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Attention, then a two-layer perceptron, each on a normed residual stream."""

    def __init__(self, width: int, heads: int, dropout: float):
        super().__init__()
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention, self.mlp = Attention(width, heads), perceptron(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """(B, L, D) -> (B, L, D)."""
        return self.residual(x, self.attention(self.norm_1(x), mask, cos, sin))

    def residual(self, x: Tensor, attended: Tensor) -> Tensor:
        """(B, L, D) with what attention and the perceptron add."""
        x = x + self.dropout(attended)
        return x + self.dropout(self.mlp(self.norm_2(x)))


class Backbone(nn.Module):
    """tokens (B, L) -> hidden states (B, L, D); a site sees both sides, or nothing after itself."""

    def __init__(
        self,
        vocab_size: int,
        direction: str,
        *,
        layers: int = 12,  # blocks of attention and perceptron; in [1, inf)
        width: int = 768,  # features of a hidden state, D; in [2, inf)
        heads: int = 12,  # of attention; they divide the width; in [1, inf)
        dropout: float = 0.1,  # on each residual branch; in [0, 1)
        positions: int = 0,  # learned absolute positions for this many sites; in [0, inf)
        mixing: bool = False,  # add linear maps of the neighbours' embeddings
    ):
        super().__init__()
        if width % (2 * heads):
            raise ValueError(f"width {width} does not divide into {heads} heads of even size")
        self.causal, self.head_size = direction == "causal", width // heads
        neighbours = (1 if self.causal else 2) * mixing  # the left one, the right one
        self.embed = Embed(vocab_size, width, positions, neighbours)
        self.blocks = nn.ModuleList(Block(width, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.apply(initialize)

    def forward(self, tokens: Tensor, valid: Tensor) -> Tensor:
        """(B, L), (B, L) -> (B, L, D)."""
        place = torch.arange(tokens.shape[1], device=tokens.device)
        cos, sin = angles(place, self.head_size)
        mask = visible(valid, self.causal)
        x = self.embed(tokens, valid, place)
        for block in self.blocks:
            x = block(x, mask, cos, sin)
        return self.norm(x)


class TokenLogits(nn.Module):
    """hidden -> scores over the vocabulary; masks, padding and BOS are never predicted."""

    never: Tensor  # (V,) bool

    def __init__(self, width: int, vocab: Vocab):
        super().__init__()
        self.linear = nn.Linear(width, vocab.size)
        nn.init.normal_(self.linear.weight, std=0.1 * width**-0.5)  # at first nearly uniform
        nn.init.zeros_(self.linear.bias)
        never = torch.zeros(vocab.size, dtype=torch.bool)
        never[list(vocab.special)] = True
        self.register_buffer("never", never, persistent=False)

    def forward(self, hidden: Tensor) -> Tensor:  # (N, D) -> (N, V)
        bias = self.linear.bias.masked_fill(self.never, -torch.inf)
        return F.linear(hidden, self.linear.weight, bias).float()


class Model(nn.Module):
    """Hidden states from the backbone; a head is applied only at the sites that need it."""

    def __init__(self, config: Config):
        super().__init__()
        self.backbone = Backbone(
            config.vocab.size,
            "bidirectional",
            layers=config.backbone.layers,
            width=config.backbone.width,
            heads=config.backbone.heads,
            dropout=config.backbone.dropout,
            positions=config.backbone.positions,
            mixing=config.backbone.mixing,
        )
        self.token_logits = TokenLogits(config.backbone.width, config.vocab)

    def forward(self, tokens: Tensor, valid: Tensor, t: Tensor | None = None) -> Tensor:
        """(B, L), (B, L) -> (B, L, D)."""
        return self.backbone(tokens, valid)
