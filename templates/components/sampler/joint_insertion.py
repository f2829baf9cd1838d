"""One token a step, gap and token drawn as a pair, until the text is complete.

Paper: arXiv:2505.05755 (ILM)
Also known as: joint, insert_joint, ilm_joint
"""

from collections.abc import Iterator

import torch
from torch import Generator

from ..ops import insert_one, pieces
from ..types import Draw, GapState, Stop, Vocab

EXACT = True


def times(state: GapState) -> Iterator[int]:
    """At most as many steps as there is room in a row that may grow."""
    room = (~state.valid).sum(1) * state.open.any(1)
    yield from range(int(room.max()))


def step(model, state: GapState, vocab: Vocab, stop: Stop, draw: Draw, rng: Generator) -> GapState:
    """Inserts a token into each row that goes on; closes those that are complete.

    (gap, token) ~ p(gap, token | x_t), with cuts (k, p) on the pairs (ILM, arXiv:2505.05755).
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
    found = []
    for p in pieces(len(rows), width * vocab.size):
        logits = model.gap_token_logits(hidden[p].flatten(0, 1)).unflatten(0, (-1, width))
        pairs = logits.masked_fill(~open[p, :, None], -torch.inf).flatten(1)
        found.append(draw(pairs, rng))
    pair = torch.cat(found)
    return insert_one(state, rows, pair // vocab.size, pair % vocab.size)


def finished(state: GapState) -> bool:
    """Nothing may be inserted any more."""
    return not state.open.any()
