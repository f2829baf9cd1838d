"""The law of `importance`: m^(1 - exponent) is uniform, m = 1 - alpha(t)."""

import torch
from torch import Tensor

FEW_TIMES = {"edge": 1e-9}  # next to nothing of (0, 1) is cut off
STRATA = True


def rank(t: Tensor, schedule, parameters) -> Tensor:
    """The share of the times before t."""
    ends = torch.tensor([parameters.edge, 1 - parameters.edge], dtype=t.dtype)
    power = 1 - parameters.exponent
    first, last = (1 - schedule.alpha(ends)) ** power
    return ((1 - schedule.alpha(t)) ** power - first) / (last - first)
