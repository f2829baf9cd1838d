"""Block after block, each by ancestral sampling on a uniform time grid.

Paper: arXiv:2503.09573 (BD3-LM)
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ..ops import logits_at, masked_positions
from ..types import Draw, Schedule, State, Vocab

EXACT_AT = {"steps": 512}  # nearly: the error decreases with the steps


class BlockInterval(NamedTuple):
    """A step from t down to s in the block of positions first <= position < last."""

    first: int
    last: int
    t: Tensor  # (B, 1)
    s: Tensor  # (B, 1)


def time_grid(
    state: State,
    block: int,
    *,
    steps: int = 32,  # equal steps per block, from t = 1 to t = 0; in [1, inf)
) -> Iterator[BlockInterval]:
    """The steps of each block that contains a free position."""
    free = (state.valid & ~state.fixed).any(0)
    grid = torch.linspace(1, 0, steps + 1, device=free.device).expand(len(state.tokens), -1)
    for first in range(0, len(free), block):
        if free[first : first + block].any():
            for t, s in pairwise(grid.split(1, 1)):
                yield BlockInterval(first, first + block, t, s)


def step(
    model,
    state: State,
    first: int,
    last: int,
    t: Tensor,
    s: Tensor,
    schedule: Schedule,
    vocab: Vocab,
    draw: Draw,
    rng: Generator,
) -> State:
    """Unmasks each mask of the block w.p. (alpha(s) - alpha(t)) / (1 - alpha(t))."""
    position = torch.arange(state.tokens.shape[1], device=state.tokens.device)
    inside = (first <= position) & (position < last)
    fires = (schedule.alpha(s) - schedule.alpha(t)) / (1 - schedule.alpha(t))  # (B, 1)
    u = torch.rand(state.tokens.shape, generator=rng, device=state.tokens.device)
    fired = (u < fires) & masked_positions(state, vocab) & inside
    if not fired.any():
        return state._replace(tokens=state.tokens.clone())
    row, col, logits = logits_at(model, state, fired, t)
    return state._replace(tokens=state.tokens.index_put((row, col), draw(logits, rng)))
