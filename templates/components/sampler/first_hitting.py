"""Jumps from one unmasking to the next: the exact law with one network call a token.

Paper: arXiv:2409.02908 (Zheng et al., the first-hitting sampler)
Also known as: fhs, first_hitting_sampler, first_hitting_time, gillespie
"""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from ..types import Draw, Interval, Schedule, State, Vocab

EXACT = True


def times(state: State, schedule: Schedule, vocab: Vocab, rng: Generator) -> Iterator[Interval]:
    """With n masks left at t, the next goes at s: 1 - alpha(s) = (1 - alpha(t)) u^(1/n).

    u ~ U(0, 1) (arXiv:2409.02908, the first-hitting sampler).
    """
    masked = (state.tokens == vocab.mask) & state.valid & ~state.fixed
    left = masked.sum(1, keepdim=True)  # (B, 1)
    t = torch.ones(left.shape, device=left.device)
    for _ in range(int(left.max())):
        u = torch.rand(t.shape, generator=rng, device=t.device)
        gone = (1 - schedule.alpha(t)) * u ** (1 / left.clamp(min=1))
        s = torch.where(left > 0, schedule.inverse(1 - gone), torch.zeros_like(t))
        yield Interval(t, s)
        t, left = s, left - 1


def step(model, state: State, s: Tensor, vocab: Vocab, draw: Draw, rng: Generator) -> State:
    """Unmasks one uniformly chosen site of each row that has one, at its time s."""
    masked = (state.tokens == vocab.mask) & state.valid & ~state.fixed
    rows = masked.any(1).nonzero()[:, 0]
    key = torch.rand(masked.shape, generator=rng, device=masked.device).masked_fill(~masked, -1.0)
    col = key.argmax(1)[rows]
    hidden = model(state.tokens[rows], state.valid[rows], s[rows])
    token = draw(model.token_logits(hidden[torch.arange(len(rows), device=rows.device), col]), rng)
    return state._replace(tokens=state.tokens.index_put((rows, col), token))
