"""Small tensor operations on sequences of varying length."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from .types import Examples, GapState, GapTokens, Vocab


def number_of_sets(n: Tensor, k: Tensor) -> Tensor:
    """C(n, k), float64: in how many ways k of n can be chosen."""
    n, k = n.double(), k.double()
    return (torch.lgamma(n + 1) - torch.lgamma(k + 1) - torch.lgamma(n - k + 1)).exp()


def compact(keep: Tensor, *arrays: Tensor) -> tuple[Tensor, ...]:
    """Moves what is kept to the front of each row, in order: (keep, *arrays), each (B, L)."""
    order = (~keep).long().argsort(dim=1, stable=True)
    return tuple(a.gather(1, order) for a in (keep, *arrays))


def open_gaps(x: Examples) -> Tensor:
    """Tokens right behind which text may grow, (B, L) bool.

    All but those that stand before a given token and are given themselves; or as `x.gaps` says, and
    in any case those before a free token.
    """
    follows = torch.zeros_like(x.valid)  # is the next token given?
    follows[:, :-1] = (x.valid & x.fixed)[:, 1:]
    free = torch.zeros_like(x.valid)
    free[:, :-1] = (x.valid & ~x.fixed)[:, 1:]
    gaps = ~(x.fixed & follows) if x.gaps is None else x.gaps
    return x.valid & (gaps | free)


def insert(counts: Tensor, valid: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Makes room for counts (B, L) new sites behind the valid ones, as far as the row has room.

    Returns (valid, new, source), each (B, L): `source` is where a site stood before; of a new one,
    where its left neighbour stood.
    """
    length = valid.shape[1]
    site = torch.arange(length, device=valid.device)
    used = valid.sum(1, keepdim=True)
    total = (counts * valid).cumsum(1).clamp(max=length - used)  # new sites up to and behind one
    before = torch.cat([torch.zeros_like(total[:, :1]), total[:, :-1]], 1)
    place = torch.where(valid, site + before, length)  # padding falls off the end
    old = valid.new_zeros(len(valid), length + 1).scatter(1, place, valid)[:, :length]
    grown = site < used + total[:, -1:]
    return grown, grown & ~old, (old.long().cumsum(1) - 1).clamp(min=0)


def insert_one(state: GapState, row: Tensor, gap: Tensor, token: Tensor) -> GapState:
    """A token (N,) behind the site `gap` (N,) of N different rows; a row that is full is closed."""
    counts = torch.zeros_like(state.tokens).index_put((row, gap), torch.ones_like(gap))
    valid, new, source = insert(counts, state.valid)
    written = torch.zeros_like(state.tokens[:, 0]).index_put((row,), token)[:, None]
    return GapState(
        tokens=torch.where(new, written, state.tokens.gather(1, source)),
        valid=valid,
        fixed=state.fixed.gather(1, source) & valid & ~new,
        open=state.open.gather(1, source) & valid & ~valid.all(1, keepdim=True),
    )


def pieces(total: int, each: int, most: int = 1 << 22) -> Iterator[slice]:
    """`total` things of `each` numbers, so many at a time that no more than `most` are held.

    Of nothing there is one piece, which is empty.
    """
    size = max(1, most // each)
    for first in range(0, max(total, 1), size):
        yield slice(first, min(first + size, total))


def gap_mass(head: Callable, hidden: Tensor, open: Tensor, vocab: Vocab) -> Tensor:
    """log sum_v exp score(gap, v), (B, L); -inf where no gap is open."""
    row, col = open.nonzero(as_tuple=True)
    found = [head(hidden[row[p], col[p]]).logsumexp(-1) for p in pieces(len(row), vocab.size)]
    none = hidden.new_full(open.shape, -torch.inf, dtype=found[0].dtype)
    return none.index_put((row, col), torch.cat(found))


def gap_log_p(head: Callable, hidden: Tensor, target: GapTokens, vocab: Vocab) -> Tensor:
    """log p(gap, token | x_t) of each missing token, (N,).

    One softmax over the open gaps of a row and all tokens. The scores of a large vocabulary are
    made in pieces, and anew for the gradient, so that they are never all held.
    """
    row, col = target.open.nonzero(as_tuple=True)
    site = (target.open.flatten().cumsum(0) - 1).view_as(target.open)[target.row, target.col]
    parts = list(pieces(len(row), vocab.size))
    found, total = [], []
    for p in parts:
        here = ((site >= p.start) & (site < p.stop)).nonzero()[:, 0]
        given = head, hidden[row[p], col[p]], site[here] - p.start, target.token[here]
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


def scores(head: Callable, hidden: Tensor, site: Tensor, token: Tensor) -> tuple[Tensor, Tensor]:
    """Of sites (G, D): the scores of tokens at some, (N,); log sum_v exp of all scores, (G,)."""
    picked, mass = PickedAndMass.apply(head(hidden), site, token)
    return picked, mass


class PickedAndMass(torch.autograd.Function):
    """Some of the scores (G, V), and log sum_v exp of each row; one gradient (G, V) for both."""

    @staticmethod
    def forward(ctx, logits: Tensor, site: Tensor, token: Tensor) -> tuple[Tensor, Tensor]:
        mass = logits.logsumexp(-1)
        ctx.save_for_backward(logits, mass, site, token)
        return logits[site, token], mass

    @staticmethod
    def backward(ctx, d_picked: Tensor, d_mass: Tensor):
        logits, mass, site, token = ctx.saved_tensors
        d = (logits - mass[:, None]).exp_().mul_(d_mass[:, None])  # softmax, (G, V)
        return d.index_put_((site, token), d_picked, accumulate=True), None, None
