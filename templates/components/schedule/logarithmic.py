"""alpha(t) = 1 - log(1 + k t) / log(1 + k): fast near the data, slow near the noise.

Paper: arXiv:2503.09573 (BD3-LM, k = 1)
Also known as: log, logarithmic_noise
    k: steepness
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

PRIOR_AT = {}


@dataclass(frozen=True)
class LogarithmicSchedule:
    """alpha(t) = 1 - log(1 + k t) / log(1 + k) (BD3-LM, arXiv:2503.09573, with k = 1)."""

    k: float = 1.0  # how much faster it falls at first; in (0, 1000]

    def alpha(self, t: Tensor) -> Tensor:
        return 1 - torch.log1p(self.k * t) / math.log1p(self.k)

    def dalpha(self, t: Tensor) -> Tensor:
        return -self.k / ((1 + self.k * t) * math.log1p(self.k))

    def inverse(self, alpha: Tensor) -> Tensor:
        return (torch.expm1((1 - alpha) * math.log1p(self.k)) / self.k).clamp(max=1)
