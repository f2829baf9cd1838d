"""Ancestral sampling of uniform noise on a uniform time grid: every free token is drawn anew.

Paper: arXiv:2412.10193 (UDLM); arXiv:2107.03006 (D3PM, the posterior)
Also known as: udlm, d3pm_uniform, uniform_ancestral
    steps: num_steps, n_steps, num_sampling_steps, sampling_steps, num_inference_steps,
        diffusion_steps, timesteps, num_timesteps, max_steps, nfe, t
"""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from ..ops import intervals, reverse_step, uniform_tokens
from ..types import Draw, Interval, Kernel, Replaced, Schedule, Vocab

EXACT_AT = {"steps": 128}  # nearly: the positions of a step are independent
PREDICTIONS = "leave_one_out"


def time_grid(
    state: Replaced,
    *,
    steps: int = 128,  # equal steps from t = 1 to t = 0; in [1, inf)
) -> Iterator[Interval]:
    """The steps t -> s, each (B, 1)."""
    yield from intervals(torch.linspace(1, 0, steps + 1, device=state.tokens.device), state)


def step(
    model,
    state: Replaced,
    t: Tensor,
    s: Tensor,
    schedule: Schedule,
    vocab: Vocab,
    draw: Draw,
    rng: Generator,
) -> Replaced:
    """x_s from (a [x_s = x_t] + (1 - a) / K) (alpha(s) x_0 + (1 - alpha(s)) / K)(x_s).

    a = alpha(t) / alpha(s), and x_0 is the prediction (UDLM, arXiv:2412.10193).
    """
    row, _ = (state.valid & ~state.fixed).nonzero(as_tuple=True)
    alpha_s = schedule.alpha(s)[row]  # (N, 1)
    a = schedule.alpha(t)[row] / alpha_s.clamp(min=torch.finfo(alpha_s.dtype).tiny)
    uniform = uniform_tokens(vocab, a)
    s_to_t, to_s = (Kernel(keep, (1 - keep) * uniform) for keep in (a, alpha_s))
    return reverse_step(model, state, t, s_to_t, to_s, draw, rng)
