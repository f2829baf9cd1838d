"""Small tensor operations on sequences of varying length."""

import torch
from torch import Generator, Tensor

from .types import Examples


def scatter(values: Tensor, row: Tensor, col: Tensor, like: Tensor) -> Tensor:
    """Values (N,) at positions (row, col) -> (B, L) of `like` (B, L, ...), zero elsewhere."""
    return values.new_zeros(like.shape[:2]).index_put((row, col), values, accumulate=True)


def random_subset(free: Tensor, k: Tensor, rng: Generator) -> Tensor:
    """k (B, 1) of the free positions of each row, every set equally likely, (B, L) bool."""
    key = torch.rand(free.shape, generator=rng, device=free.device).masked_fill(~free, 2.0)
    return free & (key.argsort(1).argsort(1) < k)


def number_of_sets(n: Tensor, k: Tensor) -> Tensor:
    """C(n, k), float64: the number of ways to corrupt k of n positions."""
    n, k = n.double(), k.double()
    return (torch.lgamma(n + 1) - torch.lgamma(k + 1) - torch.lgamma(n - k + 1)).exp()


def compact(keep: Tensor, *arrays: Tensor) -> tuple[Tensor, ...]:
    """Moves the kept positions to the front of each row, in order: (keep, *arrays), each (B, L)."""
    order = (~keep).long().argsort(dim=1, stable=True)
    return tuple(a.gather(1, order) for a in (keep, *arrays))


def open_gaps(x: Examples) -> Tensor:
    """Tokens after which tokens may be inserted, (B, L) bool.

    All tokens but fixed ones before a fixed one; with `x.gaps`, those it marks and all tokens
    before a free one.
    """
    follows = torch.zeros_like(x.valid)  # is the next token fixed?
    follows[:, :-1] = (x.valid & x.fixed)[:, 1:]
    free = torch.zeros_like(x.valid)
    free[:, :-1] = (x.valid & ~x.fixed)[:, 1:]
    gaps = ~(x.fixed & follows) if x.gaps is None else x.gaps
    return x.valid & (gaps | free)


def insert(counts: Tensor, valid: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Inserts counts (B, L) positions after the valid ones, up to the length of the row.

    Returns (valid, new, source), each (B, L): `source` is the former index of a position; of a new
    one, that of its left neighbour.
    """
    length = valid.shape[1]
    index = torch.arange(length, device=valid.device)
    used = valid.sum(1, keepdim=True)
    total = (counts * valid).cumsum(1).clamp(max=length - used)  # new positions up to and after one
    before = torch.cat([torch.zeros_like(total[:, :1]), total[:, :-1]], 1)
    moved = torch.where(valid, index + before, length)  # padding falls off the end
    old = valid.new_zeros(len(valid), length + 1).scatter(1, moved, valid)[:, :length]
    grown = index < used + total[:, -1:]
    return grown, grown & ~old, (old.long().cumsum(1) - 1).clamp(min=0)
