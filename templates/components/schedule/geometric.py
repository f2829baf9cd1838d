"""-log alpha(t) grows exponentially in t; alpha is rescaled to run from 1 to 0.

Paper: arXiv:2310.16834 (SEDD, geometric noise); arXiv:2406.04329 (MD4)
Also known as: geometric_noise
    smallest: sigma_min, smin
    largest: sigma_max, smax
Differs:
    exponential, exp: `geometric` has a sigma that grows exponentially (SEDD); BD3-LM's `exp`,
        1 - t^exp, is `polynomial`
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

PRIOR_AT = {}


@dataclass(frozen=True)
class GeometricSchedule:
    """alpha(t) = (e^-sigma(t) - e^-largest) / (e^-smallest - e^-largest).

    sigma(t) = smallest^(1 - t) largest^t (SEDD, arXiv:2310.16834), whose alpha is e^-sigma and
    does not reach 1 and 0 at the ends; the bound requires both.
    """

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

    @property
    def growth(self) -> float:
        return math.log(self.largest / self.smallest)

    @property
    def fall(self) -> float:
        return -math.expm1(self.smallest - self.largest)
