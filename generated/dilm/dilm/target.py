"""The target of dilm: target poisson_count and gap_tokens."""

import torch
from torch import Tensor

from .ops import slowing
from .types import Examples, GapCounts, GapTokens, Schedule


def poisson_count(
    x: Examples, dropped: Tensor, open: Tensor, t: Tensor, schedule: Schedule, mean_drops: float
) -> GapCounts:
    """The number of dropped tokens, divided by F alpha (1 - alpha), read at BOS.

    The unit is -alpha' divided by the rate at which a missing token is inserted: the head times
    -alpha' is the rate of all insertions. F is that of `slowing`.
    """
    alpha = schedule.alpha(t)
    unit = (alpha * (1 - alpha)).clamp(min=torch.finfo(t.dtype).eps)
    unit = unit * slowing(x, dropped, t, schedule, mean_drops)
    first = torch.zeros_like(open)
    first[:, 0] = open.any(1)
    return GapCounts(first * dropped.sum(1, keepdim=True) / unit, first, unit)


def gap_tokens(x: Examples, dropped: Tensor, gap: Tensor, open: Tensor) -> GapTokens:
    """Every dropped token, with its gap."""
    row, col = dropped.nonzero(as_tuple=True)
    one = torch.ones(row.shape, device=row.device)
    return GapTokens(row, gap[row, col], x.tokens[row, col], open, one)
