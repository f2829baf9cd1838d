"""Small tensor operations on sequences of varying length."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Generator, Tensor
from torch.utils.checkpoint import checkpoint

from .types import Examples, GapState, Interval


def scatter(values: Tensor, row: Tensor, col: Tensor, like: Tensor) -> Tensor:
    """Values (N,) at positions (row, col) -> (B, L) of `like` (B, L, ...), zero elsewhere."""
    return values.new_zeros(like.shape[:2]).index_put((row, col), values, accumulate=True)


def intervals(grid: Tensor, state) -> Iterator[Interval]:
    """The steps t -> s from each time of a grid to the next, each (B, 1)."""
    for t, s in pairwise(grid):
        yield Interval(t.expand(len(state.tokens), 1), s.expand(len(state.tokens), 1))


def categorical(p: Tensor, rng: Generator) -> Tensor:
    """An index for each row of p (N, K), drawn in proportion to its entries, (N,).

    By the inverse of the cumulative sums, with one number of 53 bits for each row, where
    `torch.multinomial` draws K. An entry of zero is never drawn. Raises ValueError if the sum of a
    row is zero or not a number.
    """
    mass = p.cumsum(-1, dtype=torch.float64)
    total = mass[:, -1:]
    if not (total > 0).all():
        raise ValueError("nothing to draw from: probabilities are zero or not numbers")
    u = torch.rand(total.shape, generator=rng, device=p.device, dtype=mass.dtype)
    return torch.searchsorted(mass, u * total, right=True)[:, 0]


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


def insert_drawn(state: GapState, row: Tensor, col: Tensor, token: Tensor) -> GapState:
    """Inserts a token (N,) after each of N different positions, as many as fit in a row."""
    counts = torch.zeros_like(state.tokens).index_put((row, col), torch.ones_like(col))
    drawn = torch.zeros_like(state.tokens).index_put((row, col), token)
    valid, new, source = insert(counts, state.valid)
    tokens, drawn = state.tokens.gather(1, source), drawn.gather(1, source)
    return GapState(
        tokens=torch.where(new, drawn, tokens),
        valid=valid,
        fixed=state.fixed.gather(1, source) & valid & ~new,
        open=state.open.gather(1, source) & valid,
    )


def rate_divergence(
    head: Callable, hidden: Tensor, number: Tensor, where: Tensor, share: Tensor
) -> Tensor:
    """m - n - n log m at the positions `where` (B, L), zero elsewhere, (B, L).

    n is `share` (B, 1) times `number` (B, L), m is `share` times the head.
    """
    row, col = where.nonzero(as_tuple=True)
    share = share[row, 0]  # (N,)
    m, n = share * head(hidden[row, col]), share * number[row, col]
    return scatter(m - n - torch.xlogy(n, m), row, col, hidden)


def pieces(total: int, each: int, most: int = 1 << 25) -> Iterator[slice]:
    """Slices of `total` items of `each` numbers, with at most `most` numbers per slice.

    If `total` is zero, one empty slice.
    """
    size = max(1, most // each)
    for first in range(0, max(total, 1), size):
        yield slice(first, min(first + size, total))


def token_nats(head: Callable, hidden: Tensor, token: Tensor) -> Tensor:
    """-log p(token) at N positions, (N,), from their hidden states (N, D).

    At most 2^25 logits are computed at once; if there are more, each piece of them is computed
    again for the gradient, so that memory does not grow with N V.
    """

    def run(hidden: Tensor, token: Tensor) -> Tensor:
        return F.cross_entropy(head(hidden), token, reduction="none")

    words = head(hidden[:0]).shape[1]  # V
    parts = list(pieces(len(token), words))
    if len(parts) == 1:
        return run(hidden, token)
    return torch.cat([checkpoint(run, hidden[p], token[p], use_reentrant=False) for p in parts])
