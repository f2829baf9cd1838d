"""In every step a token may be inserted in each gap, at rates that the step freezes.

Paper: arXiv:2506.09018 (Edit Flows, from the empty source)
Also known as: insertion_euler
    steps: num_steps, n_steps, num_sampling_steps, sampling_steps, num_inference_steps,
        diffusion_steps, timesteps, num_timesteps, max_steps, nfe, t
Differs:
    insertion_euler: the rate times the length of the step is not available; here the probability
        of a step is that of a missing token, so that steps may be long
"""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from ..ops import insert_drawn, intervals
from ..types import Draw, GapState, Interval, Schedule

EXACT_AT = {"steps": 256}  # nearly: the error decreases with the steps


def time_grid(
    state: GapState,
    *,
    steps: int = 128,  # equal steps from t = 1 to t = 0; in [1, inf)
) -> Iterator[Interval]:
    """The steps t -> s, each (B, 1)."""
    yield from intervals(torch.linspace(1, 0, steps + 1, device=state.tokens.device), state)


def step(
    model, state: GapState, t: Tensor, s: Tensor, schedule: Schedule, draw: Draw, rng: Generator
) -> GapState:
    """Inserts in an open gap w.p. alpha(s) - alpha(t) times the head, at most 1.

    The head times 1 - alpha(t) is the expected number of missing tokens, each of which is inserted
    w.p. (alpha(s) - alpha(t)) / (1 - alpha(t)). A frozen rate times the integral of the hazard
    instead diverges at t = 0.
    """
    hidden = model(state.tokens, state.valid, t)
    row, col = state.open.nonzero(as_tuple=True)
    share = (schedule.alpha(s) - schedule.alpha(t))[row, 0]  # (N,)
    u = torch.rand(len(row), generator=rng, device=t.device)
    happens = u < share * model.gap_count(hidden[row, col])
    row, col = row[happens], col[happens]
    token = draw(model.gap_token_logits(hidden[row, col]), rng)
    return insert_drawn(state, row, col, token)
