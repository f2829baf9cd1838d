"""A pre-norm transformer with rotary positions and no time input.

Paper: arXiv:2104.09864 (RoFormer)
Also known as: rope, transformer, rotary_transformer, roformer, encoder, bert, modernbert, gpt,
    gpt2, llama
    layers: n_layers, num_layers, n_layer, num_hidden_layers, depth, n_blocks, num_blocks, blocks
    width: hidden_size, hidden_dim, d_model, model_dim, dim, embed_dim, embedding_dim, n_embd
    heads: n_heads, num_heads, nhead, n_head, num_attention_heads
    dropout: dropout_rate, dropout_p, p_dropout, hidden_dropout, hidden_dropout_prob, resid_pdrop
    positions: n_positions, max_positions, max_position_embeddings
    mixing: token_shift, short_conv, conv
"""

import torch
from torch import Tensor, nn

from ..layers import Block, Embed, angles, initialize, visible

SMALL = {"layers": 2, "width": 32, "heads": 2, "dropout": 0.0, "positions": 0}
EVEN = {"width": "heads"}  # so many parts, each of even size


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

    def open_cache(self, tokens: Tensor, valid: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Keys and values of each layer, (B, H, L, D / H) each, of (B, L) tokens read causally."""
        place = torch.arange(tokens.shape[1], device=tokens.device)
        cos, sin = angles(place, self.head_size)
        mask = visible(valid, causal=True)
        x, cache = self.embed(tokens, valid, place), []
        for block in self.blocks:
            q, k, v = block.attention.project(block.norm_1(x), cos, sin)
            x = block.residual(x, block.attention.joined(q, k, v, mask))
            cache.append((k, v))
        return cache

    def extend_cache(
        self, tokens: Tensor, place: Tensor, cache: list[tuple[Tensor, Tensor]]
    ) -> Tensor:
        """Hidden states (B, D) of the sites `place` (B,) of (B, L) tokens, which join the cache.

        All earlier sites of a row are in the cache; what it holds of later ones is not read.
        """
        row = torch.arange(len(place), device=place.device)
        seen = torch.arange(tokens.shape[1], device=place.device) <= place[:, None]  # (B, L)
        cos, sin = angles(place[:, None, None], self.head_size)  # (B, 1, 1, D / 2H)
        near = torch.stack([place - 1, place], 1)  # (B, 2), a site and its left neighbour
        inside = near.clamp(min=0)
        x = self.embed(tokens.gather(1, inside), near >= 0, inside)[:, 1:]  # (B, 1, D)
        for block, (keys, values) in zip(self.blocks, cache, strict=True):
            q, k, v = block.attention.project(block.norm_1(x), cos, sin)
            keys[row, :, place], values[row, :, place] = k[:, :, 0], v[:, :, 0]
            x = block.residual(x, block.attention.joined(q, keys, values, seen[:, None, None]))
        return self.norm(x)[:, 0]
