"""Times with the density 2 t."""

import torch
from torch import Generator, Tensor

from ..types import Examples


def sample_time(
    x: Examples,
    rng: Generator,
    *,
    first: float = 0.001,  # smallest time; in (0, 0.1]
) -> Tensor:
    """t = sqrt(u) on [first, 1], (B, 1)."""
    u = torch.rand(len(x.tokens), 1, generator=rng, device=x.tokens.device)
    return (first**2 + u * (1 - first**2)).sqrt()


def density(
    t: Tensor,
    *,
    first: float = 0.001,  # smallest time; in (0, 0.1]
) -> Tensor:
    """2 t / (1 - first^2), (B, 1)."""
    return 2 * t / (1 - first**2)
