"""Masks become tokens while further masks are inserted.

Paper: arXiv:2509.01025 (FlexMDM)
"""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from ..ops import insert, intervals, masked_positions
from ..types import Draw, GapState, Interval, Schedule, Vocab

EXACT_AT = {"steps": 512}


def time_grid(
    state: GapState,
    *,
    steps: int = 128,  # equal steps from t = 1 to t = 0; in [1, inf)
) -> Iterator[Interval]:
    """The steps t -> s, each (B, 1)."""
    yield from intervals(torch.linspace(1, 0, steps + 1, device=state.tokens.device), state)


def share(schedule: Schedule, t: Tensor, s: Tensor) -> Tensor:
    """The share of corrupted tokens that are restored between t and s, (B, 1)."""
    return (schedule.alpha(s) - schedule.alpha(t)) / (1 - schedule.alpha(t))


def step(
    model,
    state: GapState,
    t: Tensor,
    s: Tensor,
    schedule: Schedule,
    drop_schedule: Schedule,
    vocab: Vocab,
    draw: Draw,
    rng: Generator,
) -> GapState:
    """Unmasks a share of the masks; inserts Poisson(share * expected number) masks until s = 0."""
    hidden = model(state.tokens, state.valid, t)
    u = torch.rand(state.tokens.shape, generator=rng, device=t.device)
    fired = masked_positions(state, vocab) & (u < share(schedule, t, s))
    row, col = fired.nonzero(as_tuple=True)
    tokens = state.tokens.index_put((row, col), draw(model.token_logits(hidden[row, col]), rng))
    row, col = state.open.nonzero(as_tuple=True)
    expected = model.gap_count(hidden[row, col])
    mean = expected.new_zeros(state.open.shape).index_put((row, col), expected)
    mean = mean * share(drop_schedule, t, s) * (s > 0)  # a mask of the last step would remain
    valid, new, source = insert(torch.poisson(mean, generator=rng).long(), state.valid)
    return GapState(
        tokens=tokens.gather(1, source).masked_fill(new, vocab.mask),
        valid=valid,
        fixed=~new & state.fixed.gather(1, source) & valid,
        open=state.open.gather(1, source) & valid,
    )
