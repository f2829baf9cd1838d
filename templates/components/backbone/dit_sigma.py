"""The diffusion transformer of MDLM's and SEDD's code: conditioned on sigma(t) = -log alpha(t).

Paper: arXiv:2310.16834 (SEDD); arXiv:2406.07524 (MDLM, its code); arXiv:2212.09748 (DiT)
Also known as: sigma, sigma_map, ddit_sigma, dit_of_sigma, sedd_dit
    condition: cond_dim, d_cond, condition_dim, cond, time_dim, time_embed_dim
    gelu: approximate, activation, hidden_act
Differs:
    sigma_map: without `time_conditioning` MDLM's code feeds it zeros: then use `rotary`
"""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..layers import (
    Embed,
    TimedBlock,
    ZeroLinear,
    angles,
    initialize,
    padding_mask,
)
from ..types import Schedule

SMALL = {"layers": 2, "width": 32, "heads": 2, "dropout": 0.0, "condition": 16, "positions": 0}
EVEN = {"width": "heads"}


class SigmaEmbedding(nn.Module):
    """sigma = -log alpha(t) -> vectors: 128 waves, then a two-layer MLP (MDLM's and SEDD's code).

    sigma is infinite where alpha is 0: alpha counts as `least` at least, at which sigma is 11.5.
    """

    def __init__(self, width: int, schedule: Schedule, waves: int = 128, least: float = 1e-5):
        super().__init__()
        rate = 10_000.0 ** -(torch.arange(waves) / waves)  # radians per unit of sigma
        self.register_buffer("rate", rate, persistent=False)
        self.schedule, self.least = schedule, least
        self.first, self.last = nn.Linear(2 * waves, width), nn.Linear(width, width)

    def forward(self, t: Tensor) -> Tensor:
        """(B, 1) or (B, L) -> (B, 1, D) or (B, L, D)."""
        sigma = -self.schedule.alpha(t.float()).clamp(min=self.least).log()
        angle = sigma[..., None] * self.rate
        waves = torch.cat([angle.cos(), angle.sin()], -1).to(self.first.weight.dtype)
        return self.last(F.silu(self.first(waves)))


class Backbone(nn.Module):
    """tokens (B, L) at time t -> hidden states (B, L, D); it reads sigma(t) of the schedule."""

    def __init__(
        self,
        vocab_size: int,
        direction: str,
        schedule: Schedule,
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
        self.time = nn.Sequential(SigmaEmbedding(condition, schedule), nn.SiLU())
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
