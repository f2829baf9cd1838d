"""Which tokens are wrong.

Paper: arXiv:1905.11006 (Levenshtein Transformer)
"""

from typing import NamedTuple

from torch import Tensor

from ..types import Examples


class Flags(NamedTuple):
    """A yes or no at each of N positions."""

    row: Tensor  # (N,) long
    col: Tensor  # (N,) long
    flag: Tensor  # (N,) bool


def wrong_flags(x: Examples, wrong: Tensor) -> Flags:
    """Whether each free token is wrong."""
    row, col = (x.valid & ~x.fixed).nonzero(as_tuple=True)
    return Flags(row, col, wrong[row, col])
