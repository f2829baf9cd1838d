"""A weight of a schedule of its own."""

from torch import Tensor

from ..types import Schedule


def late(t: Tensor, late_schedule: Schedule) -> Tensor:
    """1 - alpha(t), (B, 1)."""
    return 1 - late_schedule.alpha(t)
