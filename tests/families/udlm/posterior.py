"""Equal steps of time; in each, every free token is drawn from the posterior of uniform noise.

Paper: arXiv:2412.10193 (UDLM)
"""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Generator, Tensor

from ..types import Draw, Interval, Schedule, State, Vocab


def time_grid(
    state: State,
    *,
    steps: int = 128,  # of equal length, from t = 1 to t = 0; in [1, inf)
    edge: float = 1e-4,  # distance from t = 1; in (0, 0.01]
) -> Iterator[Interval]:
    """The steps t -> s, each (B, 1)."""
    grid = torch.linspace(1 - edge, 0, steps + 1, device=state.tokens.device)
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
    """x_s ~ (a [x_s = x_t] + (1 - a) / K) (alpha(s) x_hat + (1 - alpha(s)) / K).

    a = alpha(t) / alpha(s).
    """
    ordinary = torch.ones(vocab.size, device=t.device)
    ordinary[list(vocab.special)] = 0
    row, col = (state.valid & ~state.fixed).nonzero(as_tuple=True)
    z = state.tokens[row, col, None]
    hidden = model(state.tokens, state.valid, t)
    x_hat = model.token_logits(hidden[row, col]).softmax(-1)  # (N, V)
    alpha_t, alpha_s = schedule.alpha(t)[row], schedule.alpha(s)[row]  # (N, 1)
    a = alpha_t / alpha_s.clamp(min=torch.finfo(alpha_s.dtype).tiny)
    even = ordinary / ordinary.sum()
    seen = ((1 - a) * even).gather(1, z).expand(-1, vocab.size).scatter_add(1, z, a)
    p = seen * (alpha_s * x_hat + (1 - alpha_s) * even)
    return state._replace(tokens=state.tokens.index_put((row, col), draw(p.log(), rng)))
