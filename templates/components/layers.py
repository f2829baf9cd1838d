"""Transformer layers that backbones share; a package's model.py lists those that it uses."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def angles(position: Tensor, size: int, base: float = 10_000.0) -> tuple[Tensor, Tensor]:
    """cos and sin of the angles at `position`, each (..., size / 2) (arXiv:2104.09864)."""
    rate = base ** -(torch.arange(size // 2, device=position.device) * 2 / size)
    angle = position[..., None] * rate
    return angle.cos(), angle.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotates each pair of features of (..., L, D / H) by its angle."""
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)


def initialize(module: nn.Module) -> None:
    """Linear maps keep the scale of their inputs; embeddings have norm one."""
    if isinstance(module, nn.Linear):
        gain = getattr(module, "gain", 1.0)  # 0 for a ZeroLinear
        nn.init.normal_(module.weight, std=gain * module.in_features**-0.5)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
    if isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=module.embedding_dim**-0.5)


def visible(valid: Tensor) -> Tensor:
    """The positions that each position attends to, (B, 1, L, L) bool: all but padding (B, L)."""
    return valid[:, None, None, :].expand(-1, 1, valid.shape[1], -1)


@torch.compiler.disable  # it depends on data; what follows is one graph
def padding_mask(valid: Tensor) -> Tensor | None:
    """`visible(valid)`, or None if no position is padding: attention without a mask is faster."""
    return None if valid.all() else visible(valid)


def indices(read: Tensor | None) -> Tensor | None:
    """The index of each of the N positions `read` (B, L) in the B L positions, (N,); None: all.

    A compiled graph computes all positions: it cannot depend on their number.
    """
    if read is None or torch.compiler.is_compiling():
        return None
    return read.flatten().nonzero()[:, 0]


def at_indices(x: Tensor, at: Tensor | None) -> Tensor:
    """(B, L, D) at N of the B L positions, (N, D); unchanged if None."""
    return x if at is None else x.flatten(0, 1).index_select(0, at)


def spread(hidden: Tensor, at: Tensor | None, tokens: Tensor) -> Tensor:
    """Hidden states (N, D) at their positions of (B, L, D); NaN at others, which nothing reads."""
    if at is None:
        return hidden
    unread = hidden.new_full((tokens.numel(), hidden.shape[-1]), torch.nan)
    return unread.index_copy(0, at, hidden).view(*tokens.shape, -1)


def mlp(width: int) -> nn.Sequential:
    """Two linear maps, hidden width 4 D, and the exact GELU (MDLM's code uses tanh)."""
    return nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))


class ZeroLinear(nn.Linear):
    """A linear map that is zero at initialization, with and without `initialize`."""

    gain = 0.0

    def reset_parameters(self) -> None:
        super().reset_parameters()
        nn.init.zeros_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)


class Embed(nn.Module):
    """Tokens -> vectors; optionally plus learned positions and linear maps of the neighbours."""

    def __init__(self, vocab_size: int, width: int, positions: int, neighbours: int):
        super().__init__()
        self.token = nn.Embedding(vocab_size, width)
        self.position = nn.Embedding(positions, width) if positions else None
        self.token_shift = nn.ModuleList(
            nn.Linear(width, width, bias=False) for _ in range(neighbours)
        )

    def forward(self, tokens: Tensor, valid: Tensor, position: Tensor) -> Tensor:
        """Adjacent tokens (B, L) at `position`, (B, L) or (L,) -> (B, L, D)."""
        x = self.token(tokens)
        if self.position is not None:
            x = x + self.position(position)
        x = x * valid[..., None]
        pad = F.pad(x, (0, 0, 1, 1))  # (B, L + 2, D)
        beside = pad[:, :-2], pad[:, 2:]  # on the left, on the right
        return x + sum(mix(y) for mix, y in zip(self.token_shift, beside, strict=False))


class Attention(nn.Module):
    """Attention over the positions of a row, with rotary embeddings."""

    def __init__(self, width: int, heads: int, causal: bool):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(
        self, x: Tensor, mask: Tensor | None, cos: Tensor, sin: Tensor, at: Tensor | None = None
    ) -> Tensor:
        """(B, L, D) -> (B, L, D); `mask` (B, 1, L, L) is True where a position is visible.

        None: every position or, if `causal`, also without a mask, itself and earlier ones: padding
        comes after all valid positions.
        """
        return self.attend(*self.project(x, cos, sin), mask, at)

    def project(self, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values of (B, L, D), each (B, H, L, D / H)."""
        qkv = self.qkv(x).unflatten(-1, (3, self.heads, -1))
        qk, v = qkv.permute(2, 0, 3, 1, 4).split((2, 1))
        q, k = rotate(qk, cos, sin)
        return q, k, v[0]

    def attend(
        self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, at: Tensor | None = None
    ) -> Tensor:
        """The attention output, (B, L, D), or (N, D) at N positions."""
        causal = self.causal and mask is None
        mixed = F.scaled_dot_product_attention(q, k, v, mask, is_causal=causal)
        return self.out(at_indices(mixed.transpose(1, 2).flatten(2), at))


class Block(nn.Module):
    """Attention, then a two-layer MLP, each with LayerNorm and a residual connection."""

    def __init__(self, width: int, heads: int, dropout: float, causal: bool):
        super().__init__()
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention, self.mlp = Attention(width, heads, causal), mlp(width)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, x: Tensor, mask: Tensor | None, cos: Tensor, sin: Tensor, at: Tensor | None = None
    ) -> Tensor:
        """(B, L, D) -> (B, L, D), or (N, D) at N positions; others only give keys and values."""
        attended = self.attention(self.norm_1(x), mask, cos, sin, at)
        return self.residual(at_indices(x, at), attended)

    def residual(self, x: Tensor, attended: Tensor) -> Tensor:
        """Adds the outputs of attention and of the MLP, (..., D)."""
        x = x + self.dropout(attended)
        return x + self.dropout(self.mlp(self.norm_2(x)))


class TimeEmbedding(nn.Module):
    """t -> vectors: sinusoidal features, then a two-layer MLP (arXiv:2212.09748).

    They are zero at initialization, unless a ZeroLinear reads them.
    """

    def __init__(self, width: int, waves: int = 64, zero: bool = True):
        super().__init__()
        rate = 100.0 ** (torch.arange(waves) / waves)  # radians from t = 0 to t = 1
        self.register_buffer("rate", rate, persistent=False)
        self.first = nn.Linear(2 * waves, width)
        self.last = (ZeroLinear if zero else nn.Linear)(width, width)

    def forward(self, t: Tensor) -> Tensor:
        """(B, 1) or (B, L) -> (B, 1, D) or (B, L, D)."""
        angle = t[..., None].float() * self.rate
        waves = torch.cat([angle.cos(), angle.sin()], -1).to(self.first.weight.dtype)
        return self.last(F.silu(self.first(waves)))


class TimedBlock(nn.Module):
    """Attention, then an MLP; time shifts and scales their inputs and gates their outputs.

    At initialization every gate is zero (adaLN-zero, arXiv:2212.09748).
    """

    def __init__(
        self, width: int, heads: int, dropout: float, condition: int, gelu: str, causal: bool
    ):
        super().__init__()
        self.norm_1 = nn.LayerNorm(width, elementwise_affine=False)
        self.norm_2 = nn.LayerNorm(width, elementwise_affine=False)
        self.attention, self.mlp = Attention(width, heads, causal), mlp(width)
        self.mlp[1] = nn.GELU("tanh" if gelu == "tanh" else "none")
        self.time = ZeroLinear(condition, 6 * width)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, x: Tensor, c: Tensor, mask: Tensor | None, cos: Tensor, sin: Tensor
    ) -> Tensor:
        """(B, L, D), (B, 1, C) -> (B, L, D)."""
        shift_1, scale_1, gate_1, shift_2, scale_2, gate_2 = self.time(c).chunk(6, -1)
        y = self.attention(self.norm_1(x) * (1 + scale_1) + shift_1, mask, cos, sin)
        x = x + gate_1 * self.dropout(y)
        y = self.mlp(self.norm_2(x) * (1 + scale_2) + shift_2)
        return x + gate_2 * self.dropout(y)
