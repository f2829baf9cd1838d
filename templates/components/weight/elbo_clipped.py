"""The weight `elbo`, clipped: gradients of lower variance, but no bound.

Paper: arXiv:2503.04482 (GIDD, clipped weights)
Also known as: clipped, clipped_elbo, elbo_clip, clip, clamp, clamped, truncated
    largest: max, maximum, max_weight, limit, clip, clip_max
Differs:
    clipped, truncated: BD3-LM clips the times of training, with `time: clipped`; here the weight
        is clipped
"""

from torch import Tensor

ELBO_WEIGHT = True


def elbo_clipped(
    rate: Tensor,
    *,
    largest: float = 10.0,  # maximum weight; in (0, inf)
) -> Tensor:
    """min(rate, largest), (B, 1)."""
    return rate.clamp(max=largest)
