"""Sampler remask_loop of remdm.

Ancestral sampling with a phase of remasking at a constant noise level.
"""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from .config import Config, SamplerRemaskLoop
from .noise import prior
from .ops import intervals, largest_sigma, remember, rewrite, unmasked_positions
from .types import Draw, Examples, Interval, Remask, Remembered, Schedule, State, Vocab


def init_state(state: State) -> Remembered:
    """All free positions are masked."""
    return remember(state)


def time_grid(
    state: Remembered,
    schedule: Schedule,
    *,
    steps: int = 128,  # total number of steps; in [3, inf)
    alpha: float = 0.9,  # alpha(t) during the remasking phase; in (0, 1)
    before: float = 0.45,  # share of the steps before the phase; in [0, 1]
    during: float = 0.5,  # share of the steps in the phase; in [0, 1]
) -> Iterator[Interval]:
    """The steps t -> s, each (B, 1); s = t in the remasking phase."""
    device = state.tokens.device
    hold = schedule.inverse(torch.tensor(alpha, device=device))
    down = min(max(1, round(steps * before)), steps - 1)
    end = max(1, steps - down - round(steps * during))
    first = hold + (1 - hold) * torch.linspace(1, 0, down + 1, device=device)
    last = hold * torch.linspace(1, 0, end + 1, device=device)
    grid = torch.cat([first, hold.expand(steps - down - end), last[1:]])
    yield from intervals(grid, state)


def step(
    model,
    state: Remembered,
    t: Tensor,
    s: Tensor,
    schedule: Schedule,
    vocab: Vocab,
    remasking: Remask,
    draw: Draw,
    rng: Generator,
) -> Remembered:
    """Where s = t masks an unmasked token w.p. sigma and unmasks as many; elsewhere only unmasks.

    As `remask`, with sigma = 0 where s < t (ReMDM, arXiv:2503.00307, the loop).
    """
    most = largest_sigma(t, s, schedule)  # (B, 1)
    sigma = remasking(most, state.confidence, unmasked_positions(state, vocab)) * (s == t)  # (B, L)
    return rewrite(model, state, sigma, t, s, schedule, vocab, draw, rng)


@torch.no_grad()
def sample(
    model, config: Config, start: Examples, rng: Generator, settings: SamplerRemaskLoop
) -> Iterator[Remembered]:
    """Samples the free positions of `start`; yields all states, the last is the sample."""
    schedule = config.noise.schedule
    draw = settings.tokens
    remasking = settings.remasking
    state = prior(start, config.vocab)
    state = init_state(state)
    yield state
    for t, s in time_grid(
        state,
        schedule,
        steps=settings.steps,
        alpha=settings.alpha,
        before=settings.before,
        during=settings.during,
    ):
        state = step(model, state, t, s, schedule, config.vocab, remasking, draw, rng)
        yield state
