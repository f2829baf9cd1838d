"""The tokens in a random reading order; fixed tokens are read first.

Paper: arXiv:2404.09562 (sigma-GPT)
"""

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ..types import Examples
from .ordered import OrderedState


class Noised(NamedTuple):
    tokens: Tensor  # (B, L) in reading order
    valid: Tensor  # (B, L)
    place: Tensor  # (B, L) long, the position of each token in the text
    next_place: Tensor  # (B, L) long, the position of the token that is read next
    wanted: Tensor  # (B, L) bool, the token that is read next is free


def reading_order(x: Examples, rng: Generator) -> Tensor:
    """Fixed tokens in order, then the free ones in random order, then padding, (B, L)."""
    position = torch.arange(x.tokens.shape[1], device=x.tokens.device)
    length = len(position)
    shuffled = length + torch.rand(x.tokens.shape, generator=rng, device=position.device)
    key = torch.where(x.valid, shuffled, position + 2.0 * length)
    return torch.where(x.valid & x.fixed, position.float(), key).argsort(1)


def corrupt(x: Examples, rng: Generator) -> Noised:
    """All tokens, in another order."""
    place = reading_order(x, rng)
    tokens, valid, fixed = (a.gather(1, place) for a in (x.tokens, x.valid, x.fixed))
    free = (valid & ~fixed)[:, 1:]
    wanted = torch.cat([free, torch.zeros_like(free[:, :1])], 1)
    return Noised(tokens, valid, place, place.roll(-1, 1), wanted)


def prior(x: Examples, rng: Generator) -> OrderedState:
    """The fixed tokens, and a reading order of the others."""
    fixed = x.valid & x.fixed
    return OrderedState(x.tokens.clone(), fixed, fixed.clone(), reading_order(x, rng))
