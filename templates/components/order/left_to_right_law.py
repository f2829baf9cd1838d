"""The law of `left_to_right`: the leftmost position first."""

from torch import Tensor


def score(rule, p: Tensor, positions: Tensor) -> Tensor:
    return -positions
