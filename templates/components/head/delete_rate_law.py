"""The law of `delete_rate`: a number above zero."""

from torch import Tensor


def output(hidden: Tensor, excluded: Tensor) -> Tensor:
    """(..., V + 1) -> (...,), in [0.1, 1.5)."""
    return 0.1 + hidden[..., 0] / 5
