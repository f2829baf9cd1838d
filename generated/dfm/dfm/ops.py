"""Small tensor operations on sequences of varying length."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Generator, Tensor
from torch.utils.checkpoint import checkpoint

from .types import Examples, Interval, MixedSchedule, Vocab


def scatter(values: Tensor, row: Tensor, col: Tensor, like: Tensor) -> Tensor:
    """Values (N,) at positions (row, col) -> (B, L) of `like` (B, L, ...), zero elsewhere."""
    return values.new_zeros(like.shape[:2]).index_put((row, col), values, accumulate=True)


def uniform_tokens(vocab: Vocab, like: Tensor) -> Tensor:
    """The uniform distribution over the tokens that sequences contain, (V,)."""
    p = like.new_ones(vocab.size)
    p[list(vocab.special)] = 0
    return p / p.sum()


def mixed_tokens(share: Tensor, vocab: Vocab) -> Tensor:
    """A share (B, 1) of random tokens, and masks: their distribution, (B, V)."""
    mask = share.new_zeros(vocab.size)
    mask[vocab.mask] = 1
    return (1 - share) * mask + share * uniform_tokens(vocab, share)


def mixed_noise(t: Tensor, schedule: MixedSchedule, vocab: Vocab) -> tuple[Tensor, Tensor]:
    """P(x_t = y | x_0) at time t (B, 1) for each y other than x_0, and its derivative, (B, V)."""
    tokens, mask = (mixed_tokens(share, vocab) for share in (torch.ones_like(t), 0 * t))
    mixed, noise = mixed_tokens(schedule.random_share(t), vocab), 1 - schedule.alpha(t)
    dmixed = schedule.drandom_share(t) * (tokens - mask)
    return noise * mixed, noise * dmixed - schedule.dalpha(t) * mixed


def random_tokens(x: Examples, vocab: Vocab, rng: Generator) -> Tensor:
    """A token of this distribution at each position, (B, L)."""
    allowed = uniform_tokens(vocab, torch.ones((), device=x.tokens.device)).nonzero()[:, 0]
    drawn = torch.randint(len(allowed), x.tokens.shape, generator=rng, device=allowed.device)
    return allowed[drawn]


def states_p(z, x: Examples, alpha: Tensor, mass: Tensor) -> Tensor:
    """P(x_t | x_0, t), (B,): alpha [x_t = x_0] + mass(x_t) at each free position.

    `alpha` (B, 1), `mass` (B, V). Other positions do not change.
    """
    same = (z.tokens == x.tokens).to(alpha.dtype)
    free = x.valid & ~x.fixed
    return torch.where(free, alpha * same + mass.gather(1, z.tokens), same).prod(1)


def hidden_at(model, state, where: Tensor, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(row, col, hidden (N, D)) of the N positions `where` (B, L); evaluates only rows with one."""
    rows = where.any(1).nonzero()[:, 0]
    hidden = model(state.tokens[rows], state.valid[rows], t[rows])
    local, col = where[rows].nonzero(as_tuple=True)
    return rows[local], col, hidden[local, col]


def logits_at(model, state, where: Tensor, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(row, col, logits (N, V)) of the N positions `where` (B, L)."""
    row, col, hidden = hidden_at(model, state, where, t)
    return row, col, model.token_logits(hidden)


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
