"""alpha(t) = 1 - (1 - eps) t.

Paper: arXiv:2406.07524 (MDLM, the log-linear schedule)
Also known as: loglinear, log_linear, loglinear_noise, linear_alpha
    eps: epsilon, noise_eps, alpha_min
"""

from dataclasses import dataclass

import torch
from torch import Tensor

BOUND = {"eps": 0.0}  # with another eps the prior is not all masks, and no bound holds


@dataclass(frozen=True)
class LinearSchedule:
    """alpha(t) = 1 - (1 - eps) t, the log-linear schedule of MDLM (arXiv:2406.07524)."""

    eps: float = 0.0  # share of tokens that survive even at t = 1; above 0 no bound; in [0, 1)

    def alpha(self, t: Tensor) -> Tensor:
        return 1 - (1 - self.eps) * t

    def dalpha(self, t: Tensor) -> Tensor:
        return torch.full_like(t, self.eps - 1)

    def inverse(self, alpha: Tensor) -> Tensor:
        return ((1 - alpha) / (1 - self.eps)).clamp(max=1)
