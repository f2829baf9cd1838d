"""-log alpha(t) grows linearly in t; alpha is rescaled to run from 1 to 0.

Paper: arXiv:2406.07524 (MDLM, `linear` in its code)
Also known as: linear_sigma, linear_noise
    largest: sigma_max, smax
Differs:
    linear_noise: `LinearNoise` of MDLM's code, whose sigma is linear, from sigma_min to sigma_max:
        `largest` is their difference; its `loglinear` is `linear`
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

PRIOR_AT = {}


@dataclass(frozen=True)
class SigmaLinearSchedule:
    """alpha(t) = (e^(-largest t) - e^-largest) / (1 - e^-largest).

    `LinearNoise` of MDLM's code (arXiv:2406.07524) has alpha = e^-sigma with sigma linear from 1e-3
    to 7, which does not reach 1 and 0 at the ends; the bound requires both.
    """

    largest: float = 7.0  # total noise at t = 1; in (0, 1000]

    def alpha(self, t: Tensor) -> Tensor:
        return torch.exp(-self.largest * t) * torch.expm1(self.largest * (t - 1)) / self.fall

    def dalpha(self, t: Tensor) -> Tensor:
        return self.largest * torch.exp(-self.largest * t) / self.fall

    def inverse(self, alpha: Tensor) -> Tensor:
        return (-torch.log1p((1 - alpha) * self.fall) / self.largest).clamp(max=1)

    @property
    def fall(self) -> float:
        """e^-largest - 1."""
        return math.expm1(-self.largest)
