"""Sampler ancestral of dream: ancestral sampling on a uniform time grid."""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from .config import Config, SamplerAncestral
from .noise import prior
from .ops import intervals, logits_at, masked_positions
from .types import Draw, Examples, Interval, Schedule, State, Vocab


def time_grid(
    state: State,
    *,
    steps: int = 128,  # equal steps from t = 1 to t = 0; in [1, inf)
) -> Iterator[Interval]:
    """The steps t -> s, each (B, 1)."""
    yield from intervals(torch.linspace(1, 0, steps + 1, device=state.tokens.device), state)


def step(
    model,
    state: State,
    t: Tensor,
    s: Tensor,
    schedule: Schedule,
    vocab: Vocab,
    draw: Draw,
    rng: Generator,
) -> State:
    """Unmasks each mask w.p. (alpha(s) - alpha(t)) / (1 - alpha(t)) (arXiv:2406.07524).

    Draws the positions first, then their tokens: the same law, exact in float32.
    """
    fires = (schedule.alpha(s) - schedule.alpha(t)) / (1 - schedule.alpha(t))  # (B, 1)
    u = torch.rand(state.tokens.shape, generator=rng, device=state.tokens.device)
    fired = (u < fires) & masked_positions(state, vocab)
    if not fired.any():
        return state._replace(tokens=state.tokens.clone())
    row, col, logits = logits_at(model, state, fired, t)
    return state._replace(tokens=state.tokens.index_put((row, col), draw(logits, rng)))


@torch.no_grad()
def sample(
    model, config: Config, start: Examples, rng: Generator, settings: SamplerAncestral
) -> Iterator[State]:
    """Samples the free positions of `start`; yields all states, the last is the sample."""
    schedule = config.noise.schedule
    draw = settings.tokens
    state = prior(start, config.vocab)
    yield state
    for t, s in time_grid(state, steps=settings.steps):
        state = step(model, state, t, s, schedule, config.vocab, draw, rng)
        yield state
