"""alpha(t) = cos(pi t / 2), or its square: slow near t = 0.

Paper: arXiv:2406.07524 (MDLM, its code); arXiv:2503.09573 (BD3-LM, its code)
Also known as: cosine_noise, cosinesqr (squared: true), cosinesqr_noise (squared: true),
    cosine_squared (squared: true)
Differs:
    cosine_noise, cosinesqr, cosinesqr_noise: of MDLM's and BD3-LM's code; the `cosine` of MaskGIT
        and MD4 is 1 - sin(pi t / 2): at t = 0.5 cos(pi t / 2) is .707, its square .500, that .293
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

PRIOR_AT = {}


@dataclass(frozen=True)
class CosineOfTSchedule:
    """alpha(t) = cos(pi t / 2), written as sin(pi (1 - t) / 2): exact at t = 1; or its square.

    `CosineNoise` and `CosineSqrNoise` of MDLM's code (arXiv:2406.07524). The `cosine` of MaskGIT
    and MD4 is 1 - sin(pi t / 2).
    """

    squared: bool = False  # alpha(t) = cos(pi t / 2)^2

    def alpha(self, t: Tensor) -> Tensor:
        return torch.sin(math.pi / 2 * (1 - t)) ** (1 + self.squared)

    def dalpha(self, t: Tensor) -> Tensor:
        cosine = torch.sin(math.pi / 2 * (1 - t))
        slope = -math.pi / 2 * torch.sin(math.pi / 2 * t)
        return (1 + self.squared) * cosine**self.squared * slope

    def inverse(self, alpha: Tensor) -> Tensor:
        """From sin(pi t / 2)^2 = 1 - cos(pi t / 2)^2: exact at alpha = 1."""
        cosine = alpha ** (1 / (1 + self.squared))
        return 2 / math.pi * torch.atan2(torch.sqrt((1 - cosine) * (1 + cosine)), cosine)
