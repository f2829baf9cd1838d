"""In rounds: predicts all masks, then masks the least likely tokens again, fewer each round.

Paper: arXiv:1904.09324 (Ghazvininejad et al., Mask-Predict)
Also known as: cmlm (tokens: {kind: top_k, k: 1}), maskpredict (tokens: {kind: top_k, k: 1})
    rounds: iterations, num_iterations, iters, max_iter, decoding_iterations, num_rounds, steps,
        num_steps
Differs:
    cmlm, maskpredict: greedy there; without `tokens` tokens are drawn at temperature 1
    iterative_refinement: iterative refinement without masks (arXiv:1802.06901) is not available;
        the nearest is `mask_predict`, which masks the least likely tokens again each round
    max_iter: fairseq's `max_iter` does not count the first round: `rounds` is `max_iter` + 1
"""

from collections.abc import Iterator

import torch
from torch import Generator

from ..ops import logits_at, masked_positions, probability, rank, remember, time_when_masked
from ..types import Draw, Remembered, Round, Schedule, State, Vocab


def init_state(state: State) -> Remembered:
    """All free positions are masked."""
    return remember(state)


def time_grid(
    state: Remembered,
    *,
    rounds: int = 10,  # number of rounds, one function evaluation each; in [1, inf)
) -> Iterator[Round]:
    """The rounds, each with the number of rounds after it."""
    for left in reversed(range(rounds)):
        yield Round(left, rounds)


def step(
    model,
    state: Remembered,
    left: int,
    of: int,
    schedule: Schedule,
    vocab: Vocab,
    draw: Draw,
    rng: Generator,
) -> Remembered:
    """Unmasks all masks, then masks the n left / of least confident of the n free positions.

    Mask-Predict (arXiv:1904.09324). Not exact: positions of one round are drawn independently.
    """
    masked = masked_positions(state, vocab)
    if not masked.any():
        return state._replace(tokens=state.tokens.clone())
    t = time_when_masked(state, masked, schedule)
    row, col, logits = logits_at(model, state, masked, t)
    token = draw(logits, rng)
    tokens = state.tokens.index_put((row, col), token)
    confidence = state.confidence.index_put((row, col), probability(logits, token))

    free = state.valid & ~state.fixed
    row, col = free.nonzero(as_tuple=True)
    doubtful = rank(-confidence[row, col], row) < (free.sum(1) * left // of)[row]  # (N,)
    mask = torch.full_like(row[doubtful], vocab.mask)
    tokens = tokens.index_put((row[doubtful], col[doubtful]), mask)
    return state._replace(tokens=tokens, confidence=confidence)
