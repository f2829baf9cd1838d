"""The sampler of dfm.

The flow from masks and random tokens to x_0: a token jumps to a prediction of x_0.
"""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from .config import Config
from .noise import prior
from .ops import intervals, logits_at
from .types import Draw, Examples, Interval, Mixed, MixedSchedule


def time_grid(
    state: Mixed,
    *,
    steps: int = 128,  # equal steps from t = 1 to t = 0; in [1, inf)
) -> Iterator[Interval]:
    """The steps t -> s, each (B, 1)."""
    yield from intervals(torch.linspace(1, 0, steps + 1, device=state.tokens.device), state)


def step(
    model, state: Mixed, t: Tensor, s: Tensor, schedule: MixedSchedule, draw: Draw, rng: Generator
) -> Mixed:
    """Each free token becomes a draw of p(x_0 | x_t) w.p. (alpha(s) - alpha(t)) / (1 - alpha(t)).

    The integral of the rate alpha' / (1 - alpha), in flow time kappa' / (1 - kappa)
    (arXiv:2407.15595). At s = 0 all are drawn.
    """
    jumps = (schedule.alpha(s) - schedule.alpha(t)) / (1 - schedule.alpha(t))  # (B, 1)
    u = torch.rand(state.tokens.shape, generator=rng, device=state.tokens.device)
    jumped = (u < jumps) & state.valid & ~state.fixed
    if not jumped.any():
        return state._replace(tokens=state.tokens.clone())
    row, col, logits = logits_at(model, state, jumped, t)
    return state._replace(tokens=state.tokens.index_put((row, col), draw(logits, rng)))


@torch.no_grad()
def sample(model, config: Config, start: Examples, rng: Generator) -> Iterator[Mixed]:
    """Samples the free positions of `start`; yields all states, the last is the sample."""
    schedule = config.noise.schedule
    draw = config.sampler.tokens
    state = prior(start, schedule, config.vocab, rng)
    yield state
    for t, s in time_grid(state, steps=config.sampler.steps):
        state = step(model, state, t, s, schedule, draw, rng)
        yield state
