"""Unmasked tokens are masked again with a constant share of the largest valid probability.

Paper: arXiv:2503.00307 (ReMDM, the rescaled schedule)
Also known as: remdm_rescale, rescaled, rescaling
    share: eta, eta_rescale, ratio
"""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Rescale:
    """sigma = share (1 - alpha(s)) / alpha(t) (ReMDM, arXiv:2503.00307)."""

    share: float = 0.05  # share of the largest valid probability; in [0, 1]

    def __call__(self, most: Tensor, confidence: Tensor, unmasked: Tensor) -> Tensor:
        return (self.share * most).expand(unmasked.shape)  # (B, 1) -> (B, L)
