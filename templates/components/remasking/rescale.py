"""A written token is masked again with a constant share of the largest probability there is.

Paper: arXiv:2503.00307 (ReMDM, the rescaled schedule)
Also known as: remdm_rescale, rescaled, rescaling
    share: eta, eta_rescale, factor, ratio
"""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Rescale:
    """sigma = share (1 - alpha(s)) / alpha(t) (ReMDM, arXiv:2503.00307)."""

    share: float = 0.05  # of the largest probability; in [0, 1]

    def __call__(self, most: Tensor, confidence: Tensor, written: Tensor) -> Tensor:
        return (self.share * most).expand(written.shape)  # (B, 1) -> (B, L)
