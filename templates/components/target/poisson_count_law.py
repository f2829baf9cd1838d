"""The law of `poisson_count`: the number of missing tokens, at BOS."""

from torch import Tensor

from .gap_counts_law import Counts
from .missing_count_law import targets as missing_count


def targets(tokens: Tensor, valid: Tensor, fixed: Tensor, corrupted: list[int]) -> Counts:
    return missing_count(tokens, valid, fixed, corrupted)
