"""A uniformly random order.

Also known as: uniform, any_order, rand, shuffle
Differs:
    origin: write `kind: ancestral`, without `order`: Dream's `origin` unmasks each masked
        position on its own, with probability 1 - s / t; `random` unmasks a fixed number in random
        order
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

EXACT_AT = {}  # at any values


@dataclass(frozen=True)
class Random:
    """A uniform score: random order."""

    def __call__(
        self, head: Callable, hidden: Tensor, position: Tensor, rng: Generator
    ) -> Tensor:  # (N,)
        return torch.rand(len(hidden), generator=rng, device=hidden.device)
