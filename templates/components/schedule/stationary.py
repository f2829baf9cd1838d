"""Masks and random tokens in a fixed ratio; alpha(t) = (1 - t)^flow_power.

Paper: arXiv:2602.01362 (XDLM); arXiv:2407.15595 (discrete flow matching, the power)
Also known as: xdlm, fixed_share, constant_share, fixed_mixture
    share: k, mixing_ratio, random_share, uniform_share
"""

from dataclasses import dataclass

import torch
from torch import Tensor

PRIOR_AT = {}


@dataclass(frozen=True)
class StationarySchedule:
    """q_t(y | x) = alpha [y = x] + (1 - alpha) ((1 - k) [y = mask] + k / K) (arXiv:2602.01362).

    k is the share: 0 is absorbing noise, 1 is uniform noise. alpha = (1 - t)^n, in flow time
    kappa(t) = t^n (arXiv:2407.15595), with n the flow power.
    """

    share: float = 0.1  # of the corrupted tokens that are random, the others are masks; in [0, 1]
    flow_power: float = 1.0  # n; 1 is linear; in [1, 3]

    def alpha(self, t: Tensor) -> Tensor:
        return (1 - t) ** self.flow_power

    def dalpha(self, t: Tensor) -> Tensor:
        return -self.flow_power * (1 - t) ** (self.flow_power - 1)

    def inverse(self, alpha: Tensor) -> Tensor:
        return 1 - alpha ** (1 / self.flow_power)

    def random_share(self, t: Tensor) -> Tensor:
        return torch.full_like(t, self.share)

    def drandom_share(self, t: Tensor) -> Tensor:
        return torch.zeros_like(t)
