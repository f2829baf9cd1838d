"""Any order.

Also known as: uniform, any_order, origin, rand, shuffle
"""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

EXACT = True


@dataclass(frozen=True)
class Random:
    """A uniform score: sites go in random order."""

    def __call__(self, logits: Tensor, place: Tensor, rng: Generator) -> Tensor:
        return torch.rand(len(logits), generator=rng, device=logits.device)  # (N,)
