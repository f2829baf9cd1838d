"""In rounds: every mask is filled, then the least likely tokens are masked again, fewer each time.

Paper: arXiv:1904.09324 (Ghazvininejad et al., Mask-Predict)
Also known as: cmlm, maskpredict, iterative_refinement
    rounds: iterations, num_iterations, iters, max_iter, decoding_iterations, num_rounds, steps,
        num_steps
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ..ops import rank
from ..types import Draw, Round, Schedule, State, Vocab


class Guessed(NamedTuple):
    """A state, and the probability of each token when it was guessed."""

    tokens: Tensor  # (B, L) long
    valid: Tensor  # (B, L) bool
    fixed: Tensor  # (B, L) bool
    confidence: Tensor  # (B, L) its probability; of no meaning at other sites


def enter(state: State) -> Guessed:
    """Nothing is guessed yet."""
    confidence = torch.zeros(state.tokens.shape, device=state.tokens.device)
    return Guessed(state.tokens, state.valid, state.fixed, confidence)


def times(
    state: Guessed,
    *,
    rounds: int = 10,  # network calls; in [1, inf)
) -> Iterator[Round]:
    """The rounds, each with how many come after it."""
    for left in reversed(range(rounds)):
        yield Round(left, rounds)


def step(
    model,
    state: Guessed,
    left: int,
    of: int,
    schedule: Schedule,
    vocab: Vocab,
    draw: Draw,
    rng: Generator,
) -> Guessed:
    """Fills every mask, then masks the n left / of least confident of the n free sites.

    Mask-Predict (arXiv:1904.09324). The network is told the time at which this share of sites is
    masked. Not exact: sites of one round are independent.
    """
    free = state.valid & ~state.fixed
    masked = free & (state.tokens == vocab.mask)
    rows = masked.any(1).nonzero()[:, 0]
    if len(rows) == 0:
        return state._replace(tokens=state.tokens.clone())
    share = masked[rows].sum(1, keepdim=True) / free[rows].sum(1, keepdim=True)
    hidden = model(state.tokens[rows], state.valid[rows], schedule.inverse(1 - share))
    row, col = masked[rows].nonzero(as_tuple=True)
    logits = model.token_logits(hidden[row, col])  # (N, V)
    token = draw(logits, rng)
    sure = logits.softmax(-1).gather(1, token[:, None])[:, 0].float()  # (N,)
    tokens = state.tokens.index_put((rows[row], col), token)
    confidence = state.confidence.index_put((rows[row], col), sure)

    row, col = free.nonzero(as_tuple=True)
    doubtful = rank(-confidence[row, col], row) < (free.sum(1) * left // of)[row]  # (N,)
    mask = torch.full_like(row[doubtful], vocab.mask)
    tokens = tokens.index_put((row[doubtful], col[doubtful]), mask)
    return state._replace(tokens=tokens, confidence=confidence)
