"""The law of `placeholder_counts`: the number of missing tokens after each remaining one."""

from torch import Tensor

from .gap_counts_law import Counts
from .gap_counts_law import targets as in_each_gap


def targets(tokens: Tensor, valid: Tensor, fixed: Tensor, corrupted: list[int]) -> Counts:
    return in_each_gap(tokens, valid, fixed, corrupted)
