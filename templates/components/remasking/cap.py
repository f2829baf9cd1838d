"""A written token is masked again with a constant probability, as far as the noise level allows.

Paper: arXiv:2503.00307 (ReMDM, the capped schedule)
Also known as: remdm_cap, capped, max_capped, constant
    rate: eta, eta_cap, sigma, cap, prob, p
"""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Cap:
    """sigma = min(rate, (1 - alpha(s)) / alpha(t)) (ReMDM, arXiv:2503.00307)."""

    rate: float = 0.02  # probability of a written token, a step; in [0, 1]

    def __call__(self, most: Tensor, confidence: Tensor, written: Tensor) -> Tensor:
        return most.clamp(max=self.rate).expand(written.shape)  # (B, 1) -> (B, L)
