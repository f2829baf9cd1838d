"""Inserts one token per step, first its gap, then the token, until the sequence is complete.

Paper: arXiv:2505.05755 (ILM)
Also known as: insert_one, insert, two_stage, ilm, insertion_lm
Differs:
    ilm: the authors' predictor takes the likeliest gap by default, `gaps: {kind: top_k, k: 1}`,
        and cuts tokens to a nucleus; without `gaps` and `tokens` both are drawn at temperature 1
"""

from collections.abc import Iterator

import torch
from torch import Generator

from ..ops import gap_mass, insert_one, max_insertions, read_growing
from ..types import Draw, GapState, Stop, Vocab

EXACT_AT = {}  # at any values


def time_grid(state: GapState) -> Iterator[int]:
    """At most as many steps as a row can take insertions."""
    yield from range(max_insertions(state))


def step(
    model, state: GapState, vocab: Vocab, stop: Stop, gaps: Draw, draw: Draw, rng: Generator
) -> GapState:
    """Inserts a token into each unfinished row; closes the complete ones.

    gap ~ p(gap | x_t), token ~ p(token | gap, x_t) (ILM, arXiv:2505.05755). Drawn at temperature 1,
    with `stop: drawn`, this is the chain whose likelihood `weight: per_count` bounds.
    """
    state, rows, hidden, open = read_growing(model, state, stop, rng)
    if len(rows) == 0:
        return state
    gap = gaps(gap_mass(model.gap_token_logits, hidden, open, vocab), rng)
    row = torch.arange(len(rows), device=rows.device)
    token = draw(model.gap_token_logits(hidden[row, gap]), rng)
    return insert_one(state, rows, gap, token)


def finished(state: GapState) -> bool:
    """No gap is open."""
    return not state.open.any()
