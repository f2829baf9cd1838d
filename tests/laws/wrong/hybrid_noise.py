"""Masks and random tokens together; the share of random tokens is largest at t = 1/2.

Paper: arXiv:2503.04482 (GIDD)
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..types import Vocab


@dataclass(frozen=True)
class HybridSchedule:
    """q_t(y | x) = ((1 - t) [y = x] + t [y = mask] + c(t) u(y)) / (1 + c(t)).

    c = b sqrt(t (1 - t)).
    """

    uniform: float = 0.1  # share of random tokens at t = 1/2; in [0, 1)

    def c(self, t: Tensor) -> Tensor:
        return 2 * self.uniform / (1 - self.uniform) * torch.sqrt(t * (1 - t))

    def dc(self, t: Tensor) -> Tensor:
        return self.c(t) * (1 / t - 1 / (1 - t)) / 2

    def alpha(self, t: Tensor) -> Tensor:
        return (1 - t) / (1 + self.c(t))

    def dalpha(self, t: Tensor) -> Tensor:
        return -(1 + self.c(t) + (1 - t) * self.dc(t)) / (1 + self.c(t)) ** 2

    def inverse(self, alpha: Tensor) -> Tensor:
        low, high = torch.zeros_like(alpha), torch.ones_like(alpha)
        for _ in range(50):
            middle = (low + high) / 2
            above = self.alpha(middle) > alpha
            low, high = torch.where(above, middle, low), torch.where(above, high, middle)
        return (low + high) / 2

    def mass(self, t: Tensor, vocab: Vocab) -> Tensor:
        mask, other = self.where(t, vocab)
        return (t * mask + self.c(t) * other) / (1 + self.c(t))

    def dmass(self, t: Tensor, vocab: Vocab) -> Tensor:
        mask, other = self.where(t, vocab)
        return ((1 + self.c(t) - t * self.dc(t)) * mask + self.dc(t) * other) / (1 + self.c(t)) ** 2

    def where(self, t: Tensor, vocab: Vocab) -> tuple[Tensor, Tensor]:
        mask, other = t.new_zeros(vocab.size), t.new_ones(vocab.size)
        mask[vocab.mask] = 1
        other[list(vocab.special)] = 0
        return mask, other / other.sum()
