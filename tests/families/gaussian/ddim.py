"""Deterministic denoising of vectors; the tokens are the nearest ones.

Paper: arXiv:2010.02502 (DDIM); arXiv:2205.14217 (Diffusion-LM)
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from ..ops import intervals
from ..types import Interval, Schedule
from .gaussian_noise import LatentState


def time_grid(
    state: LatentState,
    *,
    steps: int = 64,  # equal steps from t = 1 to t = 0; in [1, inf)
) -> Iterator[Interval]:
    """The steps t -> s, each (B, 1)."""
    yield from intervals(torch.linspace(1, 0, steps + 1, device=state.tokens.device), state)


def step(model, state: LatentState, t: Tensor, s: Tensor, schedule: Schedule) -> LatentState:
    """z_s = sqrt(alpha(s)) e_hat + sqrt(1 - alpha(s)) noise_hat (DDIM, arXiv:2010.02502)."""
    free = state.valid & ~state.fixed
    row, col = free.nonzero(as_tuple=True)
    hidden = model(state.tokens, state.valid, state.latent, t)
    clean = model.clean_latent(hidden[row, col])  # (N, E)
    before = state.latent[row, col]
    alpha_t, alpha_s = (schedule.alpha(time)[row] for time in (t, s))  # (N, 1)
    noise = (before - alpha_t.sqrt() * clean) / (1 - alpha_t).sqrt()
    after = alpha_s.sqrt() * clean + (1 - alpha_s).sqrt() * noise
    return state._replace(
        tokens=state.tokens.index_put((row, col), model.embedding(clean).argmax(-1)),
        latent=state.latent.index_put((row, col), after),
    )
