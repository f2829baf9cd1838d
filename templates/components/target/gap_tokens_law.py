"""The law of `gap_tokens`: the missing tokens, each with its gap."""

from typing import NamedTuple

from torch import Tensor


class Gaps(NamedTuple):
    """Gaps are numbered by the remaining token to their left."""

    open: list[int]  # gaps in which tokens can be missing
    missing: list[tuple[int, int]]  # (gap, token)
    number: list[float]  # how many missing tokens each of them stands for


def targets(tokens: Tensor, valid: Tensor, fixed: Tensor, corrupted: list[int]) -> Gaps:
    remaining = [j for j, v in enumerate(valid.tolist()) if v and j not in corrupted]
    missing = [(sum(i < j for i in remaining) - 1, int(tokens[j])) for j in corrupted]
    open = [a for a, j in enumerate(remaining) if is_open(valid, fixed, j)]
    return Gaps(open, missing, [1.0] * len(missing))


def is_open(valid: Tensor, fixed: Tensor, j: int) -> bool:
    """Can tokens be missing after position j? Not between two adjacent fixed tokens."""
    last = j + 1 == len(valid) or not bool(valid[j + 1])
    return last or not bool(fixed[j] & fixed[j + 1])
