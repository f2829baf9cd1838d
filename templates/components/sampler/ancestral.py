"""Backwards in equal steps of time; masked tokens come back at their known rate.

Paper: arXiv:2406.07524 (MDLM)
Also known as: ddpm, ddpm_cache, ddpm_update, d3pm, d3pm_absorb, analytic, tweedie, posterior,
    mdlm, reverse_diffusion
    steps: num_steps, n_steps, num_sampling_steps, sampling_steps, num_inference_steps,
        diffusion_steps, timesteps, num_timesteps, max_steps, nfe, t
"""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Generator, Tensor

from ..types import Draw, Interval, Schedule, State, Vocab


def times(
    state: State,
    *,
    steps: int = 128,  # of equal length, from t = 1 to t = 0; in [1, inf)
) -> Iterator[Interval]:
    """The steps t -> s, each (B, 1)."""
    grid = torch.linspace(1, 0, steps + 1, device=state.tokens.device)
    for t, s in pairwise(grid):
        yield Interval(t.expand(len(state.tokens), 1), s.expand(len(state.tokens), 1))


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
    """Unmasks each masked site w.p. (alpha(s) - alpha(t)) / (1 - alpha(t)).

    The reverse posterior of absorbing diffusion (arXiv:2406.07524).

    First which sites fire, then their tokens: the same law, exact in float32. Only rows with a site
    that fires are read by the network.
    """
    fires = (schedule.alpha(s) - schedule.alpha(t)) / (1 - schedule.alpha(t))  # (B, 1)
    u = torch.rand(state.tokens.shape, generator=rng, device=state.tokens.device)
    fired = (u < fires) & (state.tokens == vocab.mask) & state.valid & ~state.fixed
    rows = fired.any(1).nonzero()[:, 0]
    if len(rows) == 0:
        return state._replace(tokens=state.tokens.clone())
    hidden = model(state.tokens[rows], state.valid[rows], t[rows])
    local, col = fired[rows].nonzero(as_tuple=True)
    token = draw(model.token_logits(hidden[local, col]), rng)
    return state._replace(tokens=state.tokens.index_put((rows[local], col), token))
