"""Small tensor operations on sequences of varying length."""

import torch
from torch import Tensor

from .types import Schedule, Vocab


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
