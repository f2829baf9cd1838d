"""The law of `wrong_logit`: two of five tokens are wrong."""

from torch import Tensor


def output(hidden: Tensor, excluded: Tensor) -> Tensor:
    """(..., V + 1) -> (...,), in [-4, 3)."""
    return hidden[..., 0] - 4
