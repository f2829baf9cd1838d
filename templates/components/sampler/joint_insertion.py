"""Inserts one token per step, gap and token drawn jointly, until the sequence is complete.

Paper: arXiv:2505.05755 (ILM)
Also known as: joint, insert_joint, ilm_joint
"""

from collections.abc import Iterator

import torch
from torch import Generator

from ..ops import insert_one, max_insertions, pieces, read_growing
from ..types import Draw, GapState, Stop, Vocab

EXACT_AT = {}  # at any values


def time_grid(state: GapState) -> Iterator[int]:
    """At most as many steps as a row can take insertions."""
    yield from range(max_insertions(state))


def step(model, state: GapState, vocab: Vocab, stop: Stop, draw: Draw, rng: Generator) -> GapState:
    """Inserts a token into each unfinished row; closes the complete ones.

    (gap, token) ~ p(gap, token | x_t), with cuts (k, p) on the pairs (ILM, arXiv:2505.05755).
    """
    state, rows, hidden, open = read_growing(model, state, stop, rng)
    if len(rows) == 0:
        return state
    width, found = open.shape[1], []
    for p in pieces(len(rows), width * vocab.size):
        logits = model.gap_token_logits(hidden[p].flatten(0, 1)).unflatten(0, (-1, width))
        pairs = logits.masked_fill(~open[p, :, None], -torch.inf).flatten(1)
        found.append(draw(pairs, rng))
    pair = torch.cat(found)
    return insert_one(state, rows, pair // vocab.size, pair % vocab.size)


def finished(state: GapState) -> bool:
    """No gap is open."""
    return not state.open.any()
