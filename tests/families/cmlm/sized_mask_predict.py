"""Predicts the length; then, in rounds, predicts all masks and masks the least likely tokens again.

Paper: arXiv:1904.09324 (Mask-Predict)
"""

from collections.abc import Iterator

import torch
from torch import Generator

from ..ops import masked_positions, probability, rank
from ..types import Draw, Round, Vocab
from .sized import Sized


def init_state(model, state: Sized) -> Sized:
    """As many free positions as the likeliest length; the last ones are not used."""
    hidden = model(state.tokens, state.valid & state.fixed)
    free = state.valid & ~state.fixed
    length = model.length_logits(hidden[:, 0]).argmax(-1, keepdim=True)  # (B, 1)
    return state._replace(valid=state.valid & (state.fixed | (free.cumsum(1) <= length)))


def time_grid(
    state: Sized,
    *,
    rounds: int = 10,  # number of rounds, one function evaluation each; in [1, inf)
) -> Iterator[Round]:
    """The rounds, each with the number of rounds after it."""
    for left in reversed(range(rounds)):
        yield Round(left, rounds)


def step(
    model, state: Sized, left: int, of: int, vocab: Vocab, draw: Draw, rng: Generator
) -> Sized:
    """Predicts all masks, then masks the n left / of least confident of the n free positions."""
    row, col = masked_positions(state, vocab).nonzero(as_tuple=True)
    logits = model.token_logits(model(state.tokens, state.valid)[row, col])
    token = draw(logits, rng)
    tokens = state.tokens.index_put((row, col), token)
    confidence = state.confidence.index_put((row, col), probability(logits, token))

    free = state.valid & ~state.fixed
    row, col = free.nonzero(as_tuple=True)
    doubtful = rank(-confidence[row, col], row) < (free.sum(1) * left // of)[row]  # (N,)
    mask = torch.full_like(row[doubtful], vocab.mask)
    tokens = tokens.index_put((row[doubtful], col[doubtful]), mask)
    return state._replace(tokens=tokens, confidence=confidence)
