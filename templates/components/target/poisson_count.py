"""How many tokens are missing in all, in units in which the rates of `poisson_drop` are finite.

Paper: arXiv:2606.10199 (DILM, its clock in the Poisson mode)
Also known as: poisson_clock, truncated_count
"""

import torch
from torch import Tensor

from ..ops import slowing
from ..types import Examples, GapCounts, Schedule


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
