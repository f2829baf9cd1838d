"""The rate, but never more than a limit: calmer gradients, and no bound.

Paper: arXiv:2503.04482 (GIDD, clipped weights)
Also known as: clipped, clipped_elbo, elbo_clip, clip, clamp, clamped, truncated
    largest: max, maximum, max_weight, limit, clip, clip_max
"""

from torch import Tensor

COUNT = "return_rate"


def elbo_clipped(
    rate: Tensor,
    *,
    largest: float = 10.0,  # weight of a token; in (0, inf)
) -> Tensor:
    """min(rate, largest), (B, 1)."""
    return rate.clamp(max=largest)
