"""A causal transformer with the position of each token and of the token that is read next.

Paper: arXiv:2404.09562 (sigma-GPT)
"""

from torch import Tensor, nn

from ..layers import Block, angles, initialize

SMALL = {"layers": 2, "width": 32, "heads": 2, "dropout": 0.0, "positions": 64}
EVEN = {"width": "heads"}


class Backbone(nn.Module):
    """tokens (B, L) in reading order -> hidden states (B, L, D)."""

    def __init__(
        self,
        vocab_size: int,
        direction: str,
        *,
        positions: int = 64,  # maximum length; in [1, inf)
        layers: int = 12,  # blocks of attention and MLP; in [1, inf)
        width: int = 768,  # features of a hidden state, D; in [2, inf)
        heads: int = 12,  # attention heads; must divide the width; in [1, inf)
        dropout: float = 0.1,  # dropout rate on each residual branch; in [0, 1)
    ):
        super().__init__()
        self.head_size = width // heads
        self.embed = nn.Embedding(vocab_size, width)
        self.here, self.next = nn.Embedding(positions, width), nn.Embedding(positions, width)
        self.blocks = nn.ModuleList(Block(width, heads, dropout, True) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.apply(initialize)

    def forward(self, tokens: Tensor, valid: Tensor, place: Tensor, next_place: Tensor) -> Tensor:
        """(B, L) each -> (B, L, D)."""
        x = self.embed(tokens) + self.here(place) + self.next(next_place)
        cos, sin = angles(place[:, None], self.head_size)  # (B, 1, L, D / 2H)
        for block in self.blocks:
            x = block(x, None, cos, sin)
        return self.norm(x)
