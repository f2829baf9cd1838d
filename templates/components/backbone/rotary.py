"""A pre-norm transformer with rotary positions and no time input.

Paper: arXiv:2104.09864 (RoFormer)
Also known as: rope, transformer, rotary_transformer, roformer, encoder, bert, modernbert, gpt,
    gpt2, llama
    layers: n_layers, num_layers, n_layer, num_hidden_layers, depth, n_blocks, num_blocks, blocks
    width: hidden_size, hidden_dim, d_model, model_dim, dim, embed_dim, embedding_dim, n_embd
    heads: n_heads, num_heads, nhead, n_head, num_attention_heads
    dropout: dropout_rate, dropout_p, p_dropout, hidden_dropout, hidden_dropout_prob, resid_pdrop
    positions: n_positions, max_positions, max_position_embeddings
    token_shift: mixing, short_conv, conv
Differs:
    encoder, bert, modernbert, gpt, gpt2, llama: the nearest transformer here, with LayerNorm
        before each sublayer and an exact GELU; checkpoints of that model do not load
"""

import torch
from torch import Tensor, nn

from ..layers import Block, Embed, angles, indices, initialize, padding_mask, spread

SMALL = {"layers": 2, "width": 32, "heads": 2, "dropout": 0.0, "positions": 0}
EVEN = {"width": "heads"}


class Backbone(nn.Module):
    """tokens (B, L) -> hidden states (B, L, D); attention is bidirectional or causal."""

    def __init__(
        self,
        vocab_size: int,
        direction: str,
        *,
        layers: int = 12,  # blocks of attention and MLP; in [1, inf)
        width: int = 768,  # features of a hidden state, D; in [2, inf)
        heads: int = 12,  # attention heads; must divide the width; in [1, inf)
        dropout: float = 0.1,  # dropout rate on each residual branch; in [0, 1)
        positions: int = 0,  # learned absolute position embeddings; 0: none; in [0, inf)
        token_shift: bool = False,  # add linear maps of the neighbours' embeddings
    ):
        super().__init__()
        if width % (2 * heads):
            raise ValueError(f"width {width} does not divide into {heads} heads of even size")
        self.causal, self.head_size = direction == "causal", width // heads
        neighbours = (1 if self.causal else 2) * token_shift  # the left one, the right one
        self.embed = Embed(vocab_size, width, positions, neighbours)
        self.blocks = nn.ModuleList(
            Block(width, heads, dropout, self.causal) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)
        self.apply(initialize)

    def forward(self, tokens: Tensor, valid: Tensor, read: Tensor | None = None) -> Tensor:
        """(B, L), (B, L) -> (B, L, D), at the positions `read` (B, L) or at all."""
        mask = None if self.causal else padding_mask(valid)
        position = torch.arange(tokens.shape[1], device=tokens.device)
        cos, sin = angles(position, self.head_size)
        x = self.embed(tokens, valid, position)
        *blocks, last = self.blocks
        for block in blocks:
            x = block(x, mask, cos, sin)
        at = indices(read)
        return spread(self.norm(last(x, mask, cos, sin, at)), at, tokens)

    def open_cache(self, tokens: Tensor, valid: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Keys and values of each layer, (B, H, L, D / H) each, of (B, L) tokens, causal."""
        position = torch.arange(tokens.shape[1], device=tokens.device)
        cos, sin = angles(position, self.head_size)
        x, cache = self.embed(tokens, valid, position), []
        for block in self.blocks:
            q, k, v = block.attention.project(block.norm_1(x), cos, sin)
            x = block.residual(x, block.attention.attend(q, k, v, mask=None))
            cache.append((k, v))
        return cache

    def extend_cache(
        self, tokens: Tensor, position: Tensor, cache: list[tuple[Tensor, Tensor]]
    ) -> Tensor:
        """Hidden states (B, D) at `position` (B,) of (B, L) tokens, which join the cache.

        The cache holds all earlier positions of a row; entries of later ones are not used.
        """
        row = torch.arange(len(position), device=position.device)
        seen = torch.arange(tokens.shape[1], device=position.device) <= position[:, None]  # (B, L)
        cos, sin = angles(position[:, None, None], self.head_size)  # (B, 1, 1, D / 2H)
        near = torch.stack([position - 1, position], 1)  # (B, 2), left neighbour first
        inside = near.clamp(min=0)
        x = self.embed(tokens.gather(1, inside), near >= 0, inside)[:, 1:]  # (B, 1, D)
        for block, (keys, values) in zip(self.blocks, cache, strict=True):
            q, k, v = block.attention.project(block.norm_1(x), cos, sin)
            keys[row, :, position], values[row, :, position] = k[:, :, 0], v[:, :, 0]
            x = block.residual(x, block.attention.attend(q, keys, values, seen[:, None, None]))
        return self.norm(x)[:, 0]
