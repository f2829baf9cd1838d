"""A pre-norm transformer with rotary positions; a time embedding is added to every token's.

Paper: arXiv:2104.09864 (RoFormer); arXiv:2107.03006 (D3PM, time embeddings)
Also known as: rope_time, rotary_time, timed, time_conditioned
"""

import torch
from torch import Tensor, nn

from ..layers import Block, Embed, TimeEmbedding, angles, indices, initialize, padding_mask, spread

SMALL = {"layers": 2, "width": 32, "heads": 2, "dropout": 0.0, "positions": 0}
EVEN = {"width": "heads"}


class Backbone(nn.Module):
    """tokens (B, L) at time t -> hidden states (B, L, D)."""

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
        self.time = TimeEmbedding(width)
        self.blocks = nn.ModuleList(
            Block(width, heads, dropout, self.causal) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)
        self.apply(initialize)

    def forward(
        self, tokens: Tensor, valid: Tensor, t: Tensor, read: Tensor | None = None
    ) -> Tensor:
        """(B, L), (B, L), (B, 1) -> (B, L, D), at the positions `read` (B, L) or at all."""
        mask = None if self.causal else padding_mask(valid)
        position = torch.arange(tokens.shape[1], device=tokens.device)
        cos, sin = angles(position, self.head_size)
        x = self.embed(tokens, valid, position) + self.time(t)
        *blocks, last = self.blocks
        for block in blocks:
            x = block(x, mask, cos, sin)
        at = indices(read)
        return spread(self.norm(last(x, mask, cos, sin, at)), at, tokens)
