"""In reading order.

Also known as: ltr, l2r, sequential, position, autoregressive, ar, causal
"""

from dataclasses import dataclass

from torch import Generator, Tensor

EXACT = True


@dataclass(frozen=True)
class LeftToRight:
    """Sites go in reading order."""

    def __call__(self, logits: Tensor, place: Tensor, rng: Generator) -> Tensor:
        return -place.to(logits.dtype)  # (N,)
