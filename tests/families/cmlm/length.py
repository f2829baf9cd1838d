"""The number of free tokens.

Paper: arXiv:1904.09324 (Mask-Predict)
"""

from typing import NamedTuple

from torch import Tensor

from ..types import Examples


class Length(NamedTuple):
    """The number of free tokens of each sequence."""

    count: Tensor  # (B,) long


def length(x: Examples) -> Length:
    """The number of free positions, (B,)."""
    return Length((x.valid & ~x.fixed).sum(1))
