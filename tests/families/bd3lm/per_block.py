"""A time for every block of every sequence.

Paper: arXiv:2503.09573 (BD3-LM)
"""

import torch
from torch import Generator, Tensor

from ..types import Examples


def sample_time(
    x: Examples,
    rng: Generator,
    *,
    block: int = 4,  # positions of a block; in [1, inf)
    edge: float = 1e-5,  # minimum distance from t = 0 and t = 1; in (0, 0.001]
) -> Tensor:
    """t ~ U(edge, 1 - edge) for each block, repeated over its positions, (B, L)."""
    batch, length = x.tokens.shape
    u = torch.rand(batch, -(-length // block), generator=rng, device=x.tokens.device)
    return (edge + (1 - 2 * edge) * u).repeat_interleave(block, 1)[:, :length]


def density(
    t: Tensor,
    *,
    edge: float = 1e-5,  # minimum distance from t = 0 and t = 1; in (0, 0.001]
) -> Tensor:
    """1 / (1 - 2 edge) at each time, (B, L)."""
    return torch.full_like(t, 1 / (1 - 2 * edge))
