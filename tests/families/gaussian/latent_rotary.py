"""A time-conditioned pre-norm transformer that reads vectors beside tokens.

Paper: arXiv:2205.14217 (Diffusion-LM); arXiv:2104.09864 (RoFormer)
"""

import torch
from torch import Tensor, nn

from ..layers import Block, Embed, TimeEmbedding, angles, initialize, visible

SMALL = {"layers": 2, "width": 32, "heads": 2, "dropout": 0.0, "positions": 0, "latent": 8}
EVEN = {"width": "heads"}


class Backbone(nn.Module):
    """tokens (B, L) with vectors (B, L, E) at time t -> hidden states (B, L, D)."""

    def __init__(
        self,
        vocab_size: int,
        direction: str,
        *,
        latent: int = 16,  # features of a vector, E; in [2, inf)
        layers: int = 12,  # blocks of attention and MLP; in [1, inf)
        width: int = 768,  # features of a hidden state, D; in [2, inf)
        heads: int = 12,  # attention heads; must divide the width; in [1, inf)
        dropout: float = 0.1,  # dropout rate on each residual branch; in [0, 1)
        positions: int = 0,  # learned absolute position embeddings; 0: none; in [0, inf)
        token_shift: bool = False,  # add linear maps of the neighbours' embeddings
    ):
        super().__init__()
        self.head_size = width // heads
        self.embed = Embed(vocab_size, width, positions, neighbours=2 * token_shift)
        self.enter = nn.Linear(latent, width)
        self.time = TimeEmbedding(width)
        self.blocks = nn.ModuleList(Block(width, heads, dropout, False) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.apply(initialize)

    def forward(self, tokens: Tensor, valid: Tensor, latent: Tensor, t: Tensor) -> Tensor:
        """(B, L), (B, L), (B, L, E), (B, 1) -> (B, L, D)."""
        position = torch.arange(tokens.shape[1], device=tokens.device)
        cos, sin = angles(position, self.head_size)
        mask = visible(valid)
        x = self.embed(tokens, valid, position) + self.enter(latent) + self.time(t)
        for block in self.blocks:
            x = block(x, mask, cos, sin)
        return self.norm(x)
