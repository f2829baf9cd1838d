"""Small tensor operations on sequences of varying length."""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Generator, Tensor
from torch.utils.checkpoint import checkpoint

from .types import Examples, Portion, Schedule, Vocab


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


def portions(
    masks: Tensor, steps: int, counts: str, end: float, schedule: Schedule, rng: Generator
) -> Iterator[Portion]:
    """How many of the masks (B,) of each row every step unmasks, from t = 1 to t = `end`.

    A step from t to s unmasks a share f = (alpha(s) - alpha(t)) / (1 - alpha(t)) of m masks:
    "floor" and "round" make f m an integer, "binomial" draws it, "masks_left" leaves floor((1 -
    alpha(s)) masks), at least one and one less than m. "even" does not depend on the schedule:
    masks / steps, one more in each of the first masks mod steps. The last step unmasks the rest.
    """
    left = masks  # (B,)
    for i in range(steps):
        t, s = (1 - (1 - end) * j / steps for j in (i, i + 1))
        alpha_t, alpha_s = schedule.alpha(torch.tensor([t, s], dtype=torch.float64)).tolist()
        share = min((alpha_s - alpha_t) / (1 - alpha_t), 1.0)
        if i == steps - 1:
            number = left
        elif counts == "even":
            number = masks // steps + (i < masks % steps)
        elif counts == "floor":
            number = (left * share + 1e-9).floor().long()
        elif counts == "round":
            number = (left * share).round().long()
        elif counts == "binomial":
            p = torch.full(left.shape, share, device=left.device)
            number = torch.binomial(left.float(), p, generator=rng).long()
        else:
            kept = (masks * (1 - alpha_s) + 1e-9).floor().long()
            number = (left - torch.minimum(kept, left - 1).clamp(min=1)).clamp(min=0)
        yield Portion(number, 1 - (i + 1) / steps)
        left = left - number


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


def with_gumbel(score: Tensor, scale: float, rng: Generator) -> Tensor:
    """Scores (N,) plus Gumbel noise: ranked, a draw without replacement ~ exp(score / scale)."""
    if scale == 0:
        return score
    return score - scale * torch.empty_like(score).exponential_(generator=rng).log()


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
