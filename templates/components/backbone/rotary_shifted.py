"""The transformer `rotary`, whose output at a position is the prediction of the next one.

Paper: arXiv:2508.15487 (Dream); arXiv:2410.17891 (DiffuLLaMA, the shift operation)
Also known as: right_shift_logits, shift_logits, shifted, dream, diffullama, a2d
Differs:
    dream, diffullama: the shift alone; the transformer is `rotary`: checkpoints of that model do
        not load
"""

import torch
from torch import Tensor, nn

from ..layers import Block, Embed, angles, initialize, padding_mask

SMALL = {"layers": 2, "width": 32, "heads": 2, "dropout": 0.0, "positions": 0}
EVEN = {"width": "heads"}


class Backbone(nn.Module):
    """tokens (B, L) -> hidden states (B, L, D), each computed at the position before (Dream).

    As models that are initialised from an autoregressive one, which predicts the next token. The
    hidden state of position 0, BOS, is its own; nothing is predicted there.
    """

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

    def forward(self, tokens: Tensor, valid: Tensor) -> Tensor:
        """(B, L), (B, L) -> (B, L, D)."""
        mask = None if self.causal else padding_mask(valid)
        position = torch.arange(tokens.shape[1], device=tokens.device)
        cos, sin = angles(position, self.head_size)
        x = self.embed(tokens, valid, position)
        for block in self.blocks:
            x = block(x, mask, cos, sin)
        x = self.norm(x)
        return torch.cat([x[:, :1], x[:, :-1]], 1)
