"""The law of `missing_count`: the number of missing tokens, at BOS."""

from torch import Tensor

from .gap_counts_law import Counts
from .gap_counts_law import targets as in_each_gap


def targets(tokens: Tensor, valid: Tensor, fixed: Tensor, corrupted: list[int]) -> Counts:
    gaps = in_each_gap(tokens, valid, fixed, corrupted)
    return Counts([0] if gaps.open else [], [sum(gaps.count), *gaps.count[1:]])
