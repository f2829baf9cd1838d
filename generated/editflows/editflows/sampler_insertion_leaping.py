"""Sampler insertion_leaping of editflows.

In every step a token may be inserted in each gap, at rates that the step freezes.
"""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from .config import Config, SamplerInsertionLeaping
from .noise import prior
from .ops import insert_drawn, intervals
from .types import Draw, Examples, GapState, Interval, Schedule


def time_grid(
    state: GapState,
    *,
    steps: int = 128,  # equal steps from t = 1 to t = 0; in [1, inf)
) -> Iterator[Interval]:
    """The steps t -> s, each (B, 1)."""
    yield from intervals(torch.linspace(1, 0, steps + 1, device=state.tokens.device), state)


def step(
    model, state: GapState, t: Tensor, s: Tensor, schedule: Schedule, draw: Draw, rng: Generator
) -> GapState:
    """Inserts in an open gap w.p. alpha(s) - alpha(t) times the head, at most 1.

    The head times 1 - alpha(t) is the expected number of missing tokens, each of which is inserted
    w.p. (alpha(s) - alpha(t)) / (1 - alpha(t)). A frozen rate times the integral of the hazard
    instead diverges at t = 0.
    """
    hidden = model(state.tokens, state.valid, t)
    row, col = state.open.nonzero(as_tuple=True)
    share = (schedule.alpha(s) - schedule.alpha(t))[row, 0]  # (N,)
    u = torch.rand(len(row), generator=rng, device=t.device)
    happens = u < share * model.gap_count(hidden[row, col])
    row, col = row[happens], col[happens]
    token = draw(model.gap_token_logits(hidden[row, col]), rng)
    return insert_drawn(state, row, col, token)


@torch.no_grad()
def sample(
    model, config: Config, start: Examples, rng: Generator, settings: SamplerInsertionLeaping
) -> Iterator[GapState]:
    """Samples the free positions of `start`; yields all states, the last is the sample."""
    schedule = config.noise.schedule
    draw = settings.tokens
    state = prior(start)
    yield state
    for t, s in time_grid(state, steps=settings.steps):
        state = step(model, state, t, s, schedule, draw, rng)
        yield state
