"""Sampler timed_insertion of dilm.

In every step a token is inserted or none, at the rate of all insertions, which the step freezes.
"""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from .config import Config, SamplerTimedInsertion
from .noise import prior
from .ops import gap_mass, insert_one, intervals
from .types import Draw, Examples, GapState, Interval, Schedule, Vocab


def time_grid(
    state: GapState,
    *,
    steps: int = 128,  # equal steps from t = 1 to t = 0; in [1, inf)
) -> Iterator[Interval]:
    """The steps t -> s, each (B, 1)."""
    yield from intervals(torch.linspace(1, 0, steps + 1, device=state.tokens.device), state)


def step(
    model,
    state: GapState,
    t: Tensor,
    s: Tensor,
    schedule: Schedule,
    vocab: Vocab,
    gaps: Draw,
    draw: Draw,
    rng: Generator,
) -> GapState:
    """Inserts a token w.p. alpha(s) - alpha(t) times the head at BOS, at most 1.

    The gap is drawn from p(gap | x_t), the token from p(token | gap, x_t) (DILM). A row takes at
    most one token per step: use more steps than its length.
    """
    u = torch.rand(len(state.tokens), generator=rng, device=t.device)
    rows = state.open.any(1).nonzero()[:, 0]  # only these need the network
    if len(rows) == 0:
        return state
    hidden = model(state.tokens[rows], state.valid[rows], t[rows])
    share = (schedule.alpha(s) - schedule.alpha(t))[rows, 0]
    happens = u[rows] < share * model.gap_count(hidden[:, 0])
    rows, hidden = rows[happens], hidden[happens]
    if len(rows) == 0:
        return state
    gap = gaps(gap_mass(model.gap_token_logits, hidden, state.open[rows], vocab), rng)
    token = draw(model.gap_token_logits(hidden[torch.arange(len(rows)), gap]), rng)
    return insert_one(state, rows, gap, token)


@torch.no_grad()
def sample(
    model, config: Config, start: Examples, rng: Generator, settings: SamplerTimedInsertion
) -> Iterator[GapState]:
    """Samples the free positions of `start`; yields all states, the last is the sample."""
    schedule = config.noise.schedule
    gaps = settings.gaps
    draw = settings.tokens
    state = prior(start)
    yield state
    for t, s in time_grid(state, steps=settings.steps):
        state = step(model, state, t, s, schedule, config.vocab, gaps, draw, rng)
        yield state
