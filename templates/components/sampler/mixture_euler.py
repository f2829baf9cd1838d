"""Euler steps of the reverse rates of masks and random tokens; the last step draws x_0.

Paper: arXiv:2310.16834 (SEDD, the Euler sampler)
Also known as: euler, sedd_euler
    steps: num_steps, n_steps, num_sampling_steps, sampling_steps, num_inference_steps,
        diffusion_steps, timesteps, num_timesteps, max_steps, nfe, t
"""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from ..ops import arrival_rate, intervals, mixed_noise
from ..types import Draw, Interval, Mixed, MixedSchedule, Vocab


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
    """From z = x_t to y w.p. (t - s) rho(z) p(y) / p(z); the last step draws p(x_0 | x_t).

    p = alpha x_0 + mass of the predicted x_0; rho = mass' - (alpha' / alpha) mass is the rate of
    the noise (SEDD, arXiv:2310.16834). Not exact: the rates are those at t during the whole step.
    """
    row, col = (state.valid & ~state.fixed).nonzero(as_tuple=True)
    now = state.tokens[row, col, None]
    hidden = model(state.tokens, state.valid, t)
    predicted = model.token_logits(hidden[row, col]).double().softmax(-1)  # (N, V)
    time = t.double()
    alpha, (mass, dmass) = schedule.alpha(time), mixed_noise(time, schedule, vocab)
    least = 1e-30  # alpha is 0 at t = 1, where rho is infinite
    rho = arrival_rate(alpha, schedule.dalpha(time), mass, dmass, least)[row].gather(1, now)
    alpha = alpha.clamp(min=least)
    p = alpha[row] * predicted + mass[row]
    jumps = (time - s.double())[row] * rho * p / p.gather(1, now)
    jumps = jumps.scatter(1, now, 0.0)
    jumps = jumps.scatter(1, now, (1 - jumps.sum(-1, keepdim=True)).clamp(min=0))
    arrived = mass[row].gather(1, now).expand_as(p).scatter_add(1, now, alpha[row])
    p = torch.where(s[row] > 0, jumps, arrived * predicted)
    return state._replace(tokens=state.tokens.index_put((row, col), draw(p.log(), rng)))
