"""From left to right.

Also known as: ltr, l2r, sequential, position, autoregressive, ar, causal
"""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Generator, Tensor

EXACT_AT = {}  # at any values


@dataclass(frozen=True)
class LeftToRight:
    """The negative position: from left to right."""

    def __call__(
        self, head: Callable, hidden: Tensor, position: Tensor, rng: Generator
    ) -> Tensor:  # (N,)
        return -position.float()
