"""alpha(t) = 1 - (1 - eps) t.

Paper: arXiv:2406.07524 (MDLM, the log-linear schedule)
Also known as: loglinear, log_linear, loglinear_noise, linear_alpha
    eps: epsilon, noise_eps, alpha_min
Differs:
    linear: in MDLM's code `linear` is linear in sigma, here `sigma_linear`: with 1e-3 to 7
        alpha(0.5) is .030 there, .500 here; its `loglinear` is `linear` here
"""

from dataclasses import dataclass

import torch
from torch import Tensor

PRIOR_AT = {"eps": 0.0}


@dataclass(frozen=True)
class LinearSchedule:
    """alpha(t) = 1 - (1 - eps) t, the log-linear schedule of MDLM (arXiv:2406.07524)."""

    eps: float = 0.0  # share of tokens left uncorrupted at t = 1; no bound above 0; in [0, 1)

    def alpha(self, t: Tensor) -> Tensor:
        return 1 - (1 - self.eps) * t

    def dalpha(self, t: Tensor) -> Tensor:
        return torch.full_like(t, self.eps - 1)

    def inverse(self, alpha: Tensor) -> Tensor:
        return ((1 - alpha) / (1 - self.eps)).clamp(max=1)
