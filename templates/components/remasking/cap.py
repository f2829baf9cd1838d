"""Unmasked tokens are masked again with a constant probability, capped by the schedule.

Paper: arXiv:2503.00307 (ReMDM, the capped schedule)
Also known as: remdm_cap, capped, max_capped, constant
    rate: eta, eta_cap, sigma, cap, prob, p

Differs:
    eta: ReMDM has one eta for all of its rules; here it is `rate` of `cap`, or `share` of `rescale`
"""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Cap:
    """sigma = min(rate, (1 - alpha(s)) / alpha(t)) (ReMDM, arXiv:2503.00307)."""

    rate: float = 0.02  # remasking probability per token and step; in [0, 1]

    def __call__(self, most: Tensor, confidence: Tensor, unmasked: Tensor) -> Tensor:
        return most.clamp(max=self.rate).expand(unmasked.shape)  # (B, 1) -> (B, L)
