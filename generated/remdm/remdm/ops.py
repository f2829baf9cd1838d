"""Small tensor operations on sequences of varying length."""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Generator, Tensor

from .types import Draw, Interval, Remembered, Schedule, State, Vocab


def scatter(values: Tensor, row: Tensor, col: Tensor, like: Tensor) -> Tensor:
    """Values (N,) at positions (row, col) -> (B, L) of `like` (B, L, ...), zero elsewhere."""
    return values.new_zeros(like.shape[:2]).index_put((row, col), values, accumulate=True)


def masked_positions(state, vocab: Vocab) -> Tensor:
    """The masks that a sampler may still unmask, (B, L) bool."""
    return (state.tokens == vocab.mask) & state.valid & ~state.fixed


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
