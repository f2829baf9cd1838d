"""The law of `expected_gap_counts`: the mean of the missing tokens after each remaining one."""

from torch import Tensor

from .expected_gap_tokens_law import targets as expected_tokens
from .gap_counts_law import Counts


def targets(tokens: Tensor, valid: Tensor, fixed: Tensor, corrupted: list[int]) -> Counts:
    gaps = expected_tokens(tokens, valid, fixed, corrupted)
    count = [0.0] * (int(valid.sum()) - len(corrupted))
    for (gap, _), number in zip(gaps.missing, gaps.number, strict=True):
        count[gap] += number
    return Counts(gaps.open, count)
