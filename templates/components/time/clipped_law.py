"""The law of `clipped`: the objective has the times between two limits."""

from torch import Tensor

STRATA = True


def rank(t: Tensor, schedule, parameters) -> Tensor:
    """The share of the times before t."""
    return ((t - parameters.least) / (parameters.most - parameters.least)).clamp(0, 1)
