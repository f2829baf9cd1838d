"""Sampler first_hitting of mdlm_exact.

Draws the time of each unmasking: exact, with one function evaluation per token.
"""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from .config import Config, SamplerFirstHitting
from .noise import prior
from .ops import logits_at, masked_positions
from .types import Draw, Examples, Interval, Schedule, State, Vocab


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


@torch.no_grad()
def sample(
    model, config: Config, start: Examples, rng: Generator, settings: SamplerFirstHitting
) -> Iterator[State]:
    """Samples the free positions of `start`; yields all states, the last is the sample."""
    schedule = config.noise.schedule
    draw = settings.tokens
    state = prior(start, config.vocab)
    yield state
    for _, s in time_grid(state, schedule, config.vocab, rng):
        state = step(model, state, s, config.vocab, draw, rng)
        yield state
