"""One token a step: first the gap, then what goes there, until the text is complete.

Paper: arXiv:2505.05755 (ILM)
Also known as: insert_one, insert, two_stage, ilm, insertion_lm
"""

from collections.abc import Iterator

import torch
from torch import Generator

from ..ops import gap_mass, insert_one
from ..types import Draw, GapState, Stop, Vocab

EXACT = True


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
