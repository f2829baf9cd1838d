"""The law of `gap_counts`: the number of missing tokens after each remaining one."""

from typing import NamedTuple

from torch import Tensor

from .gap_tokens_law import is_open


class Counts(NamedTuple):
    """Gaps are numbered by the remaining token to their left."""

    open: list[int]  # gaps in which tokens can be missing
    count: list[float]  # the missing tokens of every gap


def targets(tokens: Tensor, valid: Tensor, fixed: Tensor, corrupted: list[int]) -> Counts:
    remaining = [j for j, v in enumerate(valid.tolist()) if v and j not in corrupted]
    count = [0.0] * len(remaining)
    for j in corrupted:
        count[sum(i < j for i in remaining) - 1] += 1
    return Counts([a for a, j in enumerate(remaining) if is_open(valid, fixed, j)], count)
