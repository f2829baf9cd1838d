"""Sampler mask_predict of mdlm_samplers.

In rounds: predicts all masks, then masks the least likely tokens again, fewer each round.
"""

from collections.abc import Iterator

import torch
from torch import Generator

from .config import Config, SamplerMaskPredict
from .noise import prior
from .ops import logits_at, masked_positions, probability, rank, remember, time_when_masked
from .types import Draw, Examples, Remembered, Round, Schedule, State, Vocab


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


@torch.no_grad()
def sample(
    model, config: Config, start: Examples, rng: Generator, settings: SamplerMaskPredict
) -> Iterator[Remembered]:
    """Samples the free positions of `start`; yields all states, the last is the sample."""
    schedule = config.noise.schedule
    draw = settings.tokens
    state = prior(start, config.vocab)
    state = init_state(state)
    yield state
    for left, of in time_grid(state, rounds=settings.rounds):
        state = step(model, state, left, of, schedule, config.vocab, draw, rng)
        yield state
