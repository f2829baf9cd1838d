"""Masks, and random tokens whose share is largest in the middle: the path of GIDD.

Paper: arXiv:2503.04482 (GIDD)
Also known as: gidd
    uniform: p_u, p_uniform, uniform_noise, random
"""

from dataclasses import dataclass

import torch
from torch import Tensor

PRIOR_AT = {}


@dataclass(frozen=True)
class HybridSchedule:
    """q_t(y | x) = ((1 - t) [y = x] + t [y = mask] + c(t) / K) / (1 + c(t)) (arXiv:2503.04482).

    c(t) = 2 p / (1 - p) sqrt(t (1 - t)), where p is the share of random tokens at t = 1/2.
    """

    uniform: float = 0.1  # share of random tokens at t = 1/2; in [0, 0.5]

    def c(self, t: Tensor) -> Tensor:
        return 2 * self.uniform / (1 - self.uniform) * torch.sqrt(t * (1 - t))

    def alpha(self, t: Tensor) -> Tensor:
        return (1 - t) / (1 + self.c(t))

    def dalpha(self, t: Tensor) -> Tensor:
        c = self.c(t)
        falls = 1 + c + c * (1 - 2 * t) / (2 * t.clamp(min=torch.finfo(t.dtype).tiny))
        return -falls / (1 + c) ** 2

    def inverse(self, alpha: Tensor) -> Tensor:
        """By bisection."""
        low, high = torch.zeros_like(alpha), torch.ones_like(alpha)
        for _ in range(100):
            middle = (low + high) / 2
            above = self.alpha(middle) > alpha
            low, high = torch.where(above, middle, low), torch.where(above, high, middle)
        return (low + high) / 2

    def random_share(self, t: Tensor) -> Tensor:
        """The share of corrupted tokens that are random, not masked: c / (t + c)."""
        c = self.c(t)
        return c / (t + c).clamp(min=torch.finfo(t.dtype).tiny)

    def drandom_share(self, t: Tensor) -> Tensor:
        c = self.c(t)
        tiny = torch.finfo(t.dtype).tiny
        return -c / (2 * (1 - t).clamp(min=tiny) * ((t + c) ** 2).clamp(min=tiny))
