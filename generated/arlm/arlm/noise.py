"""The noise of arlm: process none."""

from typing import NamedTuple

from torch import Tensor

from .ops import read_positions
from .types import Examples, Prefix


class Noised(NamedTuple):
    tokens: Tensor  # (B, L)
    valid: Tensor  # (B, L)
    read: Tensor  # (B, L) bool, where losses read hidden states


def corrupt(x: Examples) -> Noised:
    """x_t = x_0."""
    return Noised(x.tokens, x.valid, read_positions(x))


def prior(x: Examples) -> Prefix:
    """The fixed tokens before the first free position; the sampler adds later ones."""
    valid = (x.valid & x.fixed).long().cumprod(1).bool()
    return Prefix(x.tokens.clone(), valid, valid.clone())
