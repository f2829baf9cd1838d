"""The law of `missing_count`: at most two missing tokens, so that sequences stay short."""

from torch import Tensor


def output(hidden: Tensor, excluded: Tensor) -> Tensor:
    """(..., V + 1) -> (...,), in (0, 2)."""
    return (hidden[..., -1] + 0.1) / 4
