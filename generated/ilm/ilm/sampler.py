"""The sampler of ilm.

One token a step: first the gap, then what goes there, until the text is complete.
"""

from collections.abc import Iterator

import torch
from torch import Generator

from .config import Config
from .noise import prior
from .ops import gap_mass, insert_one
from .types import Draw, Examples, GapState, Stop, Vocab


def times(state: GapState) -> Iterator[int]:
    """At most as many steps as there is room in a row that may grow."""
    room = (~state.valid).sum(1) * state.open.any(1)
    yield from range(int(room.max()))


def step(
    model, state: GapState, vocab: Vocab, stop: Stop, gaps: Draw, draw: Draw, rng: Generator
) -> GapState:
    """Inserts a token into each row that goes on; closes those that are complete.

    gap ~ p(gap | x_t), token ~ p(token | gap, x_t) (ILM, arXiv:2505.05755). Drawn at temperature 1,
    with a drawn stop, this is the chain whose likelihood `weight: levels` bounds.
    """
    rows = state.open.any(1).nonzero()[:, 0]
    width = int(state.valid[rows].sum(1).max())  # no row is longer
    tokens, valid, _, open = (a[rows, :width] for a in state)
    hidden = model(tokens, valid)
    complete = stop(model.stop_logit(hidden[:, 0]), rng)
    state = state._replace(open=state.open.index_fill(0, rows[complete], False))
    hidden, open, rows = hidden[~complete], open[~complete], rows[~complete]
    if len(rows) == 0:
        return state
    gap = gaps(gap_mass(model.gap_token_logits, hidden, open, vocab), rng)
    row = torch.arange(len(rows), device=rows.device)
    token = draw(model.gap_token_logits(hidden[row, gap]), rng)
    return insert_one(state, rows, gap, token)


def finished(state: GapState) -> bool:
    """Nothing may be inserted any more."""
    return not state.open.any()


@torch.no_grad()
def sample(model, config: Config, start: Examples, rng: Generator) -> Iterator[GapState]:
    """Fills the free sites of `start`; yields every state, the last is the sample."""
    gaps = config.sampler.gaps
    draw = config.sampler.tokens
    stop = config.sampler.stop
    state = prior(start)
    yield state
    for _ in times(state):
        state = step(model, state, config.vocab, stop, gaps, draw, rng)
        yield state
        if finished(state):
            return
