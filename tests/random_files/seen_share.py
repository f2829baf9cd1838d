"""The share of tokens that are not masked: a weight that reads the corrupted batch."""

from torch import Tensor


def seen_share(masked: Tensor, valid: Tensor) -> Tensor:
    """Of the valid positions, (B, 1)."""
    return (valid & ~masked).sum(1, True) / valid.sum(1, True)
