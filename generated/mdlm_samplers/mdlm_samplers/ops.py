"""Small tensor operations on sequences of varying length."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Generator, Tensor
from torch.utils.checkpoint import checkpoint

from .types import Draw, Examples, Interval, Remembered, Schedule, State, Vocab


def scatter(values: Tensor, row: Tensor, col: Tensor, like: Tensor) -> Tensor:
    """Values (N,) at positions (row, col) -> (B, L) of `like` (B, L, ...), zero elsewhere."""
    return values.new_zeros(like.shape[:2]).index_put((row, col), values, accumulate=True)


def rank(score: Tensor, row: Tensor) -> Tensor:
    """Rank (N,) of each position within its row, the highest score first: 0, 1, ..."""
    order = score.argsort(descending=True, stable=True)
    order = order[row[order].argsort(stable=True)]  # by row, then by score
    count = row.bincount()
    first = count.cumsum(0) - count  # of each row, within `order`
    ranks = torch.arange(len(row), device=row.device) - first[row[order]]
    return torch.empty_like(row).index_put((order,), ranks)


def masked_positions(state, vocab: Vocab) -> Tensor:
    """The masks that a sampler may still unmask, (B, L) bool."""
    return (state.tokens == vocab.mask) & state.valid & ~state.fixed


def time_when_masked(state, masked: Tensor, schedule: Schedule) -> Tensor:
    """The t (B, 1) at which this share of the free positions is masked: 1 - alpha(t) = share."""
    free = state.valid & ~state.fixed
    share = masked.sum(1, keepdim=True) / free.sum(1, keepdim=True)
    return schedule.inverse(1 - share)


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


def probability(logits: Tensor, token: Tensor) -> Tensor:
    """p(token), (N,) float32, from logits (N, V)."""
    return logits.softmax(-1).gather(1, token[:, None])[:, 0].float()


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


def remember(state: State) -> Remembered:
    """The state before any token is unmasked."""
    confidence = torch.zeros(state.tokens.shape, device=state.tokens.device)
    return Remembered(state.tokens, state.valid, state.fixed, confidence)


def unmasked_positions(state, vocab: Vocab) -> Tensor:
    """The tokens that a sampler has unmasked and may mask again, (B, L) bool."""
    return (state.tokens != vocab.mask) & state.valid & ~state.fixed


def largest_sigma(t: Tensor, s: Tensor, schedule: Schedule) -> Tensor:
    """(1 - alpha(s)) / alpha(t), at most 1, (B, 1): no sigma may be larger (arXiv:2503.00307)."""
    alpha_t = schedule.alpha(t)
    tiny = torch.finfo(alpha_t.dtype).tiny  # alpha is 0 at t = 1
    return ((1 - schedule.alpha(s)) / alpha_t.clamp(min=tiny)).clamp(max=1)


def rewrite(
    model,
    state: Remembered,
    sigma: Tensor,
    t: Tensor,
    s: Tensor,
    schedule: Schedule,
    vocab: Vocab,
    draw: Draw,
    rng: Generator,
) -> Remembered:
    """A step of ReMDM (arXiv:2503.00307): remasks w.p. sigma (B, L), and unmasks."""
    alpha_t, alpha_s = schedule.alpha(t), schedule.alpha(s)  # (B, 1)
    fires = (alpha_s - (1 - sigma) * alpha_t) / (1 - alpha_t)
    u = torch.rand(state.tokens.shape, generator=rng, device=state.tokens.device)
    fired = masked_positions(state, vocab) & (u < fires)
    tokens = state.tokens.masked_fill(unmasked_positions(state, vocab) & (u < sigma), vocab.mask)
    if not fired.any():
        return state._replace(tokens=tokens)
    row, col, logits = logits_at(model, state, fired, t)
    token = draw(logits, rng)
    return state._replace(
        tokens=tokens.index_put((row, col), token),
        confidence=state.confidence.index_put((row, col), probability(logits, token)),
    )


def read_positions(x: Examples) -> Tensor:
    """Where losses read hidden states, (B, L) bool: BOS, free positions, and that before one."""
    read = x.valid & ~x.fixed
    read[:, :-1] |= read[:, 1:].clone()
    read[:, 0] = True
    return read


def pieces(total: int, each: int, most: int = 1 << 25) -> Iterator[slice]:
    """Slices of `total` items of `each` numbers, with at most `most` numbers per slice.

    If `total` is zero, one empty slice.
    """
    size = max(1, most // each)
    for first in range(0, max(total, 1), size):
        yield slice(first, min(first + size, total))


def in_pieces(score: Callable, head: Callable, hidden: Tensor) -> Tensor:
    """score(logits) of N positions, (N,), from their hidden states (N, D); 2^25 logits at once."""
    words = head(hidden[:0]).shape[1]  # V
    return torch.cat([score(head(hidden[p])) for p in pieces(len(hidden), words)])


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
