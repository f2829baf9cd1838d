"""Types of the target `pair_counts` and of the loss `pair_loss`."""

from typing import NamedTuple

from torch import Tensor


class Pairs(NamedTuple):
    """A number for each position."""

    count: Tensor  # (B, L) float
    valid: Tensor  # (B, L) bool
