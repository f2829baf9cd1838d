"""Small tensor operations on sequences of varying length."""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Generator, Tensor

from .types import Interval, Portion, Schedule, Vocab


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


def logits_at(model, state, where: Tensor, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(row, col, logits (N, V)) of the N positions `where` (B, L); evaluates only rows with one."""
    rows = where.any(1).nonzero()[:, 0]
    hidden = model(state.tokens[rows], state.valid[rows], t[rows])
    local, col = where[rows].nonzero(as_tuple=True)
    return rows[local], col, model.token_logits(hidden[local, col])


def probability(logits: Tensor, token: Tensor) -> Tensor:
    """p(token), (N,) float32, from logits (N, V)."""
    return logits.softmax(-1).gather(1, token[:, None])[:, 0].float()


def intervals(grid: Tensor, state) -> Iterator[Interval]:
    """The steps t -> s from each time of a grid to the next, each (B, 1)."""
    for t, s in pairwise(grid):
        yield Interval(t.expand(len(state.tokens), 1), s.expand(len(state.tokens), 1))


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


def with_gumbel(score: Tensor, scale: float, rng: Generator) -> Tensor:
    """Scores (N,) plus Gumbel noise: ranked, a draw without replacement ~ exp(score / scale)."""
    if scale == 0:
        return score
    u = torch.rand(score.shape, generator=rng, device=score.device)
    return score - scale * (-u.log()).log()
