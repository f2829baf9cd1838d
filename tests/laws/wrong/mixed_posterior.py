"""Backwards in equal steps; every free token is drawn anew from the posterior of the mixture.

Paper: arXiv:2503.04482 (GIDD)
"""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Generator, Tensor

from ..types import Draw, Interval, Schedule, State, Vocab

EXACT_AT = {"steps": 512}


def time_grid(
    state: State,
    *,
    steps: int = 128,  # of equal length; in [1, inf)
    edge: float = 1e-4,  # keep this far from t = 0 and t = 1; in (0, 0.01]
) -> Iterator[Interval]:
    """The steps t -> s, each (B, 1)."""
    grid = torch.linspace(1 - edge, edge, steps + 1, device=state.tokens.device)
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
    """q(x_s | x_t) ~ (a [x_s = x_t] + c(x_t)) (alpha(s) x_hat + b_s)(x_s)."""
    row, col = (state.valid & ~state.fixed).nonzero(as_tuple=True)
    z = state.tokens[row, col, None]
    x_hat = model.token_logits(model(state.tokens, state.valid, t)[row, col]).softmax(-1)  # (N, V)
    b_s = schedule.mass(s, vocab)[row]
    a = (schedule.alpha(t) / schedule.alpha(s))[row]  # (N, 1)
    c = schedule.mass(t, vocab)[row] - a * b_s
    seen = c.gather(1, z).expand(-1, x_hat.shape[1]).scatter_add(1, z, a)
    p = seen * (schedule.alpha(s)[row] * x_hat + b_s)
    token = draw(p.clamp(min=0).log(), rng)
    return state._replace(tokens=state.tokens.index_put((row, col), token))
