"""Small tensor operations on sequences of varying length."""

from collections.abc import Callable, Iterator

import torch
from torch import Generator, Tensor
from torch.utils.checkpoint import checkpoint

from .types import Examples, GapState, GapTokens, Stop, Vocab


def random_subset(free: Tensor, k: Tensor, rng: Generator) -> Tensor:
    """k (B, 1) of the free positions of each row, every set equally likely, (B, L) bool."""
    key = torch.rand(free.shape, generator=rng, device=free.device).masked_fill(~free, 2.0)
    return free & (key.argsort(1).argsort(1) < k)


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


def insert_one(state: GapState, row: Tensor, gap: Tensor, token: Tensor) -> GapState:
    """Inserts a token (N,) after position `gap` (N,) of N different rows; closes full rows."""
    counts = torch.zeros_like(state.tokens).index_put((row, gap), torch.ones_like(gap))
    valid, new, source = insert(counts, state.valid)
    inserted = torch.zeros_like(state.tokens[:, 0]).index_put((row,), token)[:, None]
    return GapState(
        tokens=torch.where(new, inserted, state.tokens.gather(1, source)),
        valid=valid,
        fixed=state.fixed.gather(1, source) & valid & ~new,
        open=state.open.gather(1, source) & valid & ~valid.all(1, keepdim=True),
    )


def pieces(total: int, each: int, most: int = 1 << 25) -> Iterator[slice]:
    """Slices of `total` items of `each` numbers, with at most `most` numbers per slice.

    If `total` is zero, one empty slice.
    """
    size = max(1, most // each)
    for first in range(0, max(total, 1), size):
        yield slice(first, min(first + size, total))


def max_insertions(state: GapState) -> int:
    """The largest number of tokens that can be inserted in a row with open gaps."""
    space = (~state.valid).sum(1) * state.open.any(1)
    return int(space.max())


def read_growing(
    model, state: GapState, stop: Stop, rng: Generator
) -> tuple[GapState, Tensor, Tensor, Tensor]:
    """Evaluates the rows with open gaps, and closes those that are complete.

    Returns the state and, for the R unfinished rows, their indices (R,), hidden states (R, L, D)
    and open gaps (R, L), up to the length L of the longest.
    """
    rows = state.open.any(1).nonzero()[:, 0]
    width = int(state.valid[rows].sum(1).max())  # no row is longer
    tokens, valid, _, open = (a[rows, :width] for a in state)
    hidden = model(tokens, valid)
    complete = stop(model.stop_logit(hidden[:, 0]), rng)
    state = state._replace(open=state.open.index_fill(0, rows[complete], False))
    return state, rows[~complete], hidden[~complete], open[~complete]


def gap_mass(head: Callable, hidden: Tensor, open: Tensor, vocab: Vocab) -> Tensor:
    """log sum_v exp logit(gap, v), (B, L); -inf where no gap is open."""
    row, col = open.nonzero(as_tuple=True)
    found = [head(hidden[row[p], col[p]]).logsumexp(-1) for p in pieces(len(row), vocab.size)]
    none = hidden.new_full(open.shape, -torch.inf, dtype=found[0].dtype)
    return none.index_put((row, col), torch.cat(found))


def gap_log_p(head: Callable, hidden: Tensor, target: GapTokens, vocab: Vocab) -> Tensor:
    """log p(gap, token | x_t) of each missing token, (N,).

    One softmax over the open gaps of a row and all tokens. With a large vocabulary the logits are
    computed in pieces, and recomputed for the gradient, to save memory.
    """
    row, col = target.open.nonzero(as_tuple=True)
    gap = (target.open.flatten().cumsum(0) - 1).view_as(target.open)[target.row, target.col]
    parts = list(pieces(len(row), vocab.size))
    found, total = [], []
    for p in parts:
        here = ((gap >= p.start) & (gap < p.stop)).nonzero()[:, 0]
        given = head, hidden[row[p], col[p]], gap[here] - p.start, target.token[here]
        if len(parts) == 1:
            score, mass = scores(*given)
        else:
            score, mass = checkpoint(scores, *given, use_reentrant=False, preserve_rng_state=False)
        found.append((here, score))
        total.append(mass)
    none = hidden.new_full(target.open.shape, -torch.inf, dtype=total[0].dtype)
    normalizer = none.index_put((row, col), torch.cat(total)).logsumexp(1)  # (B,)
    where, score = (torch.cat(parts) for parts in zip(*found, strict=True))
    return torch.empty_like(score).index_put((where,), score) - normalizer[target.row]


def scores(head: Callable, hidden: Tensor, gap: Tensor, token: Tensor) -> tuple[Tensor, Tensor]:
    """For gaps (G, D): logits of N pairs (gap, token), (N,); the logsumexp of each gap, (G,)."""
    picked, mass = PickedAndMass.apply(head(hidden), gap, token)
    return picked, mass


class PickedAndMass(torch.autograd.Function):
    """Some of the logits (G, V), and the logsumexp of each row; one gradient (G, V) for both."""

    @staticmethod
    def forward(ctx, logits: Tensor, row: Tensor, token: Tensor) -> tuple[Tensor, Tensor]:
        mass = logits.logsumexp(-1)
        ctx.save_for_backward(logits, mass, row, token)
        return logits[row, token], mass

    @staticmethod
    def backward(ctx, d_picked: Tensor, d_mass: Tensor):
        logits, mass, row, token = ctx.saved_tensors
        d = (logits - mass[:, None]).exp_().mul_(d_mass[:, None])  # softmax, (G, V)
        return d.index_put_((row, token), d_picked, accumulate=True), None, None
