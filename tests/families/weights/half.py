"""Half of the ELBO weight."""

from torch import Tensor

ELBO_WEIGHT = True


def half(rate: Tensor) -> Tensor:
    """rate / 2, (B, 1)."""
    return rate / 2
