"""Masks and random tokens in a fixed ratio; -log alpha(t) grows exponentially in t, as in SEDD.

Paper: arXiv:2310.16834 (SEDD, geometric noise)
Also known as: uniform_geometric
    share: k, mixing_ratio, random_share, uniform_share
    smallest: sigma_min, smin
    largest: sigma_max, smax
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

PRIOR_AT = {}


@dataclass(frozen=True)
class StationaryGeometricSchedule:
    """q_t(y | x) = alpha [y = x] + (1 - alpha) ((1 - k) [y = mask] + k / K), k the share.

    alpha = (e^-sigma(t) - e^-largest) / (e^-smallest - e^-largest) with sigma(t) = smallest^(1 - t)
    largest^t (SEDD, arXiv:2310.16834), whose alpha is e^-sigma: the bound requires that alpha
    reaches 1 and 0.
    """

    share: float = 1.0  # of the corrupted tokens that are random, the others are masks; in [0, 1]
    smallest: float = 1e-4  # total noise at t = 0; in [1e-12, 1)
    largest: float = 20.0  # total noise at t = 1; in [1, 1000]

    def alpha(self, t: Tensor) -> Tensor:
        rise = self.smallest * torch.expm1(self.growth * t)  # sigma(t) - smallest
        left = (self.largest - self.smallest - rise).clamp(min=0)
        return torch.exp(-rise) * -torch.expm1(-left) / self.fall

    def dalpha(self, t: Tensor) -> Tensor:
        sigma = self.smallest * torch.exp(self.growth * t)
        return -self.growth * sigma * torch.exp(self.smallest - sigma) / self.fall

    def inverse(self, alpha: Tensor) -> Tensor:
        rise = -torch.log1p((alpha - 1) * self.fall)
        return (torch.log1p(rise / self.smallest) / self.growth).clamp(max=1)

    def random_share(self, t: Tensor) -> Tensor:
        return torch.full_like(t, self.share)

    def drandom_share(self, t: Tensor) -> Tensor:
        return torch.zeros_like(t)

    @property
    def growth(self) -> float:
        return math.log(self.largest / self.smallest)

    @property
    def fall(self) -> float:
        return -math.expm1(self.smallest - self.largest)
