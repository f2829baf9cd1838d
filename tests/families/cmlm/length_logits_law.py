"""The law of `length_logits`: a score of each length."""

from torch import Tensor


def output(hidden: Tensor, excluded: Tensor) -> Tensor:
    """(..., V + 1) -> the same, for the lengths 0 to V, the longest of a small distribution."""
    return hidden
