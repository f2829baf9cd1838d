"""The tokens that the model draws at some of the masks.

Paper: arXiv:2112.06749 (SUNDAE)
"""

from typing import NamedTuple

import torch
from torch import Generator, Tensor


class Unrolled(NamedTuple):
    tokens: Tensor  # (B, L)
    valid: Tensor  # (B, L)
    clean: Tensor  # (B, L) the token of x_0 at this position
    drawn: Tensor  # (B, L) bool


@torch.no_grad()
def unrolled(
    model,
    hidden: Tensor,
    tokens: Tensor,
    valid: Tensor,
    clean: Tensor,
    masked: Tensor,
    rng: Generator,
    *,
    share: float = 0.5,  # masks that are filled; in (0, 1]
) -> Unrolled:
    """Each mask with probability `share`."""
    u = torch.rand(masked.shape, generator=rng, device=masked.device)
    drawn = masked & (u < share)
    row, col = drawn.nonzero(as_tuple=True)
    guess = tokens.index_put((row, col), model.token_logits(hidden[row, col]).argmax(-1))
    return Unrolled(guess, valid, clean, drawn)
