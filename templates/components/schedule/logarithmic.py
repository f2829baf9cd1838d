"""alpha(t) = 1 - log(1 + s t) / log(1 + s): fast near the data, slow near the noise.

Paper: arXiv:2503.09573 (BD3-LM, steepness 1)
Also known as: log, logarithmic_noise
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

PRIOR_AT = {}


@dataclass(frozen=True)
class LogarithmicSchedule:
    """alpha(t) = 1 - log(1 + s t) / log(1 + s) with the steepness s (BD3-LM, arXiv:2503.09573)."""

    steepness: float = 1.0  # s; how much faster it falls at first; in (0, 1000]

    def alpha(self, t: Tensor) -> Tensor:
        return 1 - torch.log1p(self.steepness * t) / math.log1p(self.steepness)

    def dalpha(self, t: Tensor) -> Tensor:
        return -self.steepness / ((1 + self.steepness * t) * math.log1p(self.steepness))

    def inverse(self, alpha: Tensor) -> Tensor:
        return (torch.expm1((1 - alpha) * math.log1p(self.steepness)) / self.steepness).clamp(max=1)
