"""alpha(t) = 1 - sin(pi t / 2): slow near the noise, fast near the data.

Paper: arXiv:2202.04200 (MaskGIT, 1 - cos of the remaining time)
Also known as: cos, cosine_noise, cosine_schedule
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class CosineSchedule:
    """alpha(t) = 1 - cos(pi (1 - t) / 2), written as 1 - sin(pi t / 2): exact at t = 0.

    The mask schedule of MaskGIT (arXiv:2202.04200), whose own time runs the other way.
    """

    def alpha(self, t: Tensor) -> Tensor:
        return 1 - torch.sin(math.pi / 2 * t)

    def dalpha(self, t: Tensor) -> Tensor:
        return -math.pi / 2 * torch.cos(math.pi / 2 * t)

    def inverse(self, alpha: Tensor) -> Tensor:
        return 2 / math.pi * torch.asin(1 - alpha)
