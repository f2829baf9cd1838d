"""Draws the time of each unmasking: exact, with one function evaluation per token.

Paper: arXiv:2409.02908 (Zheng et al., the first-hitting sampler)
Also known as: fhs, first_hitting_sampler, first_hitting_time, gillespie
"""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from ..ops import logits_at, masked_positions
from ..types import Draw, Interval, Schedule, State, Vocab

EXACT_AT = {}  # at any values


def time_grid(state: State, schedule: Schedule, vocab: Vocab, rng: Generator) -> Iterator[Interval]:
    """With n masks left at t, the next is unmasked at s: 1 - alpha(s) = (1 - alpha(t)) u^(1/n).

    u ~ U(0, 1) (arXiv:2409.02908, the first-hitting sampler).
    """
    left = masked_positions(state, vocab).sum(1, keepdim=True)  # (B, 1)
    t = torch.ones(left.shape, device=left.device)
    for _ in range(int(left.max())):
        u = torch.rand(t.shape, generator=rng, device=t.device)
        share = (1 - schedule.alpha(t)) * u ** (1 / left.clamp(min=1))
        s = torch.where(left > 0, schedule.inverse(1 - share), torch.zeros_like(t))
        yield Interval(t, s)
        t, left = s, left - 1


def step(model, state: State, s: Tensor, vocab: Vocab, draw: Draw, rng: Generator) -> State:
    """Unmasks one mask of each row that has one, drawn uniformly, at its time s."""
    masked = masked_positions(state, vocab)
    key = torch.rand(masked.shape, generator=rng, device=masked.device).masked_fill(~masked, -1.0)
    first = torch.zeros_like(masked).scatter(1, key.argmax(1, keepdim=True), True)
    row, col, logits = logits_at(model, state, first & masked, s)
    return state._replace(tokens=state.tokens.index_put((row, col), draw(logits, rng)))
