"""A diffusion transformer: time shifts, scales and gates each block (adaLN-zero).

Paper: arXiv:2212.09748 (DiT); arXiv:2406.07524 (MDLM's backbone)
Also known as: ddit, adaln, adaln_zero, diffusion_transformer
    condition: cond_dim, d_cond, condition_dim, cond, time_dim, time_embed_dim
    gelu: approximate, activation, hidden_act
Differs:
    ddit: MDLM's has `gelu: tanh`; the time input is t, in its code sigma, as of `dit_sigma`
"""

from typing import Literal

import torch
from torch import Tensor, nn

from ..layers import (
    Embed,
    TimedBlock,
    TimeEmbedding,
    ZeroLinear,
    angles,
    initialize,
    padding_mask,
)

SMALL = {"layers": 2, "width": 32, "heads": 2, "dropout": 0.0, "condition": 16, "positions": 0}
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
        condition: int = 128,  # features of the time embedding, C; in [2, inf)
        dropout: float = 0.1,  # dropout rate on each residual branch; in [0, 1)
        positions: int = 0,  # learned absolute position embeddings; 0: none; in [0, inf)
        token_shift: bool = False,  # add linear maps of the neighbours' embeddings
        gelu: Literal["exact", "tanh"] = "exact",  # its tanh approximation, as in MDLM's code
    ):
        super().__init__()
        if width % (2 * heads):
            raise ValueError(f"width {width} does not divide into {heads} heads of even size")
        self.causal, self.head_size = direction == "causal", width // heads
        neighbours = (1 if self.causal else 2) * token_shift  # the left one, the right one
        self.embed = Embed(vocab_size, width, positions, neighbours)
        self.time = nn.Sequential(TimeEmbedding(condition, zero=False), nn.SiLU())
        self.blocks = nn.ModuleList(
            TimedBlock(width, heads, dropout, condition, gelu, self.causal) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.last = ZeroLinear(condition, 2 * width)
        self.apply(initialize)

    def forward(self, tokens: Tensor, valid: Tensor, t: Tensor) -> Tensor:
        """(B, L), (B, L), (B, 1) -> (B, L, D)."""
        mask = None if self.causal else padding_mask(valid)
        position = torch.arange(tokens.shape[1], device=tokens.device)
        cos, sin = angles(position, self.head_size)
        x, c = self.embed(tokens, valid, position), self.time(t)
        for block in self.blocks:
            x = block(x, c, mask, cos, sin)
        shift, scale = self.last(c).chunk(2, -1)
        return self.norm(x) * (1 + scale) + shift
