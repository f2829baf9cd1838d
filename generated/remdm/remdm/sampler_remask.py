"""Sampler remask of remdm.

Ancestral sampling on a uniform time grid that masks unmasked tokens again.
"""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from .config import Config, SamplerRemask
from .noise import prior
from .ops import intervals, largest_sigma, remember, rewrite, unmasked_positions
from .types import Draw, Examples, Interval, Remask, Remembered, Schedule, State, Vocab


def init_state(state: State) -> Remembered:
    """All free positions are masked."""
    return remember(state)


def time_grid(
    state: Remembered,
    *,
    steps: int = 128,  # equal steps from t = 1 to t = 0; in [1, inf)
) -> Iterator[Interval]:
    """The steps t -> s, each (B, 1)."""
    yield from intervals(torch.linspace(1, 0, steps + 1, device=state.tokens.device), state)


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
    """Masks an unmasked token w.p. sigma, and unmasks as many (ReMDM, arXiv:2503.00307).

    A mask is unmasked w.p. (a_s - (1 - sigma) a_t) / (1 - a_t), and sigma <= (1 - a_s) / a_t, with
    a = alpha. If sigma is the same at all positions, the share of masks at each time does not
    change. Not exact: positions of one step are drawn independently.
    """
    most = largest_sigma(t, s, schedule)  # (B, 1)
    sigma = remasking(most, state.confidence, unmasked_positions(state, vocab))  # (B, L)
    return rewrite(model, state, sigma, t, s, schedule, vocab, draw, rng)


@torch.no_grad()
def sample(
    model, config: Config, start: Examples, rng: Generator, settings: SamplerRemask
) -> Iterator[Remembered]:
    """Samples the free positions of `start`; yields all states, the last is the sample."""
    schedule = config.noise.schedule
    draw = settings.tokens
    remasking = settings.remasking
    state = prior(start, config.vocab)
    state = init_state(state)
    yield state
    for t, s in time_grid(state, steps=settings.steps):
        state = step(model, state, t, s, schedule, config.vocab, remasking, draw, rng)
        yield state
