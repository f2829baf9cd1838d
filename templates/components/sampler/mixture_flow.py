"""The flow from masks and random tokens to x_0: a token jumps to a prediction of x_0.

Paper: arXiv:2407.15595 (Gat et al., discrete flow matching)
Also known as: dfm, flow, flow_matching, discrete_flow_matching, mixture_discrete_euler
    steps: num_steps, n_steps, num_sampling_steps, sampling_steps, num_inference_steps,
        diffusion_steps, timesteps, num_timesteps, max_steps, nfe, t
Differs:
    mixture_discrete_euler: the code of flow matching jumps w.p. 1 - exp(-h kappa' / (1 - kappa)),
        with the rate at the start of a step of length h; here the rate is integrated
"""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from ..ops import intervals, logits_at
from ..types import Draw, Interval, Mixed, MixedSchedule

EXACT_AT = {"steps": 256}  # nearly: the positions of a step are independent
PREDICTIONS = "posterior"


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
