"""Each token is masked at a time of its own, and its mask is dropped at a later one.

Paper: arXiv:2509.01025 (FlexMDM)
"""

import torch
from torch import Generator, Tensor

from ..types import Examples, Schedule


def select_tokens(
    x: Examples, t: Tensor, schedule: Schedule, drop_schedule: Schedule, rng: Generator
) -> Tensor:
    """0 for a token, 1 for a mask, 2 for a dropped mask, (B, L) long.

    A mask is dropped at time r with P(r >= t) = alpha_drop(t); its token is masked before.
    """
    free = x.valid & ~x.fixed
    u = torch.rand((2, *free.shape), generator=rng, device=free.device)
    r = drop_schedule.inverse(u[0])
    dropped = free & (r < t)
    masked = free & ~dropped & (u[1] * (1 - schedule.alpha(r)) < 1 - schedule.alpha(t))
    return dropped * 2 + masked.long()


def elbo_weight(t: Tensor, schedule: Schedule) -> Tensor:
    """-alpha'(t) / (1 - alpha(t)), (B, 1): the rate at which a mask becomes a token."""
    return -schedule.dalpha(t) / (1 - schedule.alpha(t)).clamp(min=torch.finfo(t.dtype).eps)


def insertion_rate(t: Tensor, drop_schedule: Schedule) -> Tensor:
    """-alpha_drop'(t) / (1 - alpha_drop(t)), (B, 1): the rate at which a mask is inserted."""
    share = (1 - drop_schedule.alpha(t)).clamp(min=torch.finfo(t.dtype).eps)
    return -drop_schedule.dalpha(t) / share
