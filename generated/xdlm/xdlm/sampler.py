"""The sampler of xdlm.

Ancestral sampling of masks and random tokens: every free token is drawn anew.
"""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from .config import Config
from .noise import prior
from .ops import intervals, mixed_noise, reverse_step
from .types import Draw, Examples, Interval, Kernel, Mixed, MixedSchedule, Vocab


def time_grid(
    state: Mixed,
    *,
    steps: int = 128,  # equal steps from t = 1 to t = 0; in [1, inf)
) -> Iterator[Interval]:
    """The steps t -> s, each (B, 1)."""
    yield from intervals(torch.linspace(1, 0, steps + 1, device=state.tokens.device), state)


def step(
    model,
    state: Mixed,
    t: Tensor,
    s: Tensor,
    schedule: MixedSchedule,
    vocab: Vocab,
    draw: Draw,
    rng: Generator,
) -> Mixed:
    """x_s from (a [x_s = x_t] + enter(x_t)) (alpha(s) x_0 + mass_s)(x_s) (arXiv:2503.04482).

    a = alpha(t) / alpha(s), enter = mass_t - a mass_s, and x_0 is the prediction.
    """
    row, _ = (state.valid & ~state.fixed).nonzero(as_tuple=True)
    alpha_t, alpha_s = schedule.alpha(t), schedule.alpha(s)  # (B, 1)
    (mass_t, _), (mass_s, _) = (mixed_noise(u, schedule, vocab) for u in (t, s))  # (B, V)
    a = alpha_t / alpha_s.clamp(min=torch.finfo(alpha_s.dtype).tiny)
    enter = (mass_t - a * mass_s).clamp(min=0)  # not below zero by rounding
    s_to_t, to_s = Kernel(a[row], enter[row]), Kernel(alpha_s[row], mass_s[row])
    return reverse_step(model, state, t, s_to_t, to_s, draw, rng)


@torch.no_grad()
def sample(model, config: Config, start: Examples, rng: Generator) -> Iterator[Mixed]:
    """Samples the free positions of `start`; yields all states, the last is the sample."""
    schedule = config.noise.schedule
    draw = config.sampler.tokens
    state = prior(start, schedule, config.vocab, rng)
    yield state
    for t, s in time_grid(state, steps=config.sampler.steps):
        state = step(model, state, t, s, schedule, config.vocab, draw, rng)
        yield state
