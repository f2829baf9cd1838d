"""alpha(t) = 1 - sin(pi t / 2): slow near t = 1, fast near t = 0.

Paper: arXiv:2202.04200 (MaskGIT, 1 - cos of the remaining time); arXiv:2406.04329 (MD4)
Also known as: cos, cosine_schedule, cosine_alpha
Differs:
    cosine: in the code of MDLM, BD3-LM and flow matching it is cos(pi t / 2), here `cosine_of_t`:
        at t = 0.5 that is .707 there, .293 here
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

PRIOR_AT = {}


@dataclass(frozen=True)
class CosineSchedule:
    """alpha(t) = 1 - cos(pi (1 - t) / 2), written as 1 - sin(pi t / 2): exact at t = 0.

    The mask schedule of MaskGIT (arXiv:2202.04200), whose time runs the other way, and of MD4
    (arXiv:2406.04329). The cosine of MDLM's and BD3-LM's code is different, cos(pi t / 2).
    """

    def alpha(self, t: Tensor) -> Tensor:
        return 1 - torch.sin(math.pi / 2 * t)

    def dalpha(self, t: Tensor) -> Tensor:
        return -math.pi / 2 * torch.cos(math.pi / 2 * t)

    def inverse(self, alpha: Tensor) -> Tensor:
        return 2 / math.pi * torch.asin(1 - alpha)
