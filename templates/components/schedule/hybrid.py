"""Masks, and random tokens whose share is largest in the middle: the path of GIDD.

Paper: arXiv:2503.04482 (GIDD)
Also known as: gidd
    uniform: p_u, p_uniform, uniform_noise, random
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

PRIOR_AT = {}


@dataclass(frozen=True)
class HybridSchedule:
    """q(y | x) = ((1 - tau) [y = x] + tau [y = mask] + c / K) / (1 + c) (arXiv:2503.04482).

    c = 2 p / (1 - p) sqrt(tau (1 - tau)), where p is the share of random tokens at tau = 1/2. GIDD
    draws tau uniformly; there the rate of random tokens is infinite at tau = 0, so that a bound
    without the times below 1e-5 lacks up to 6 % of its value. Here tau = sin(pi t / 2)^2: the same
    path, with finite rates. Below, u = sqrt(tau), v = sqrt(1 - tau) and c = k u v.
    """

    uniform: float = 0.1  # share of random tokens at t = 1/2; in [0, 0.5]

    def alpha(self, t: Tensor) -> Tensor:
        return self.v(t) ** 2 / (1 + self.k * self.u(t) * self.v(t))

    def dalpha(self, t: Tensor) -> Tensor:
        u = self.u(t)
        v = self.v(t)
        return -math.pi / 2 * v * (2 * u + self.k * v) / (1 + self.k * u * v) ** 2

    def inverse(self, alpha: Tensor) -> Tensor:
        """1 / alpha = 1 + k r + r^2 with r = u / v = tan(pi t / 2)."""
        b = self.k * alpha
        root = torch.sqrt(b**2 + 4 * alpha * (1 - alpha))
        return 2 / math.pi * torch.atan2(2 * (1 - alpha), b + root)

    def random_share(self, t: Tensor) -> Tensor:
        """The share of corrupted tokens that are random, not masked: c / (tau + c)."""
        random = self.k * self.v(t)
        return random / (self.u(t) + random).clamp(min=torch.finfo(t.dtype).tiny)

    def drandom_share(self, t: Tensor) -> Tensor:
        both = (self.u(t) + self.k * self.v(t)) ** 2
        return -math.pi / 2 * self.k / both.clamp(min=torch.finfo(t.dtype).tiny)

    def u(self, t: Tensor) -> Tensor:
        return torch.sin(math.pi / 2 * t)

    def v(self, t: Tensor) -> Tensor:
        return torch.sin(math.pi / 2 * (1 - t))

    @property
    def k(self) -> float:
        return 2 * self.uniform / (1 - self.uniform)
