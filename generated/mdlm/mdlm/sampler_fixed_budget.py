"""Sampler fixed_budget of mdlm.

Unmasks a fixed number of positions per step, in the order of a score.
"""

from collections.abc import Iterator

import torch
from torch import Generator

from .config import Config, SamplerFixedBudget
from .noise import prior
from .ops import hidden_at, masked_positions, rank, time_when_masked
from .types import Draw, Examples, Schedule, Score, State, Vocab


def time_grid(
    state: State,
    vocab: Vocab,
    *,
    tokens_per_step: int = 1,  # positions unmasked per step; in [1, inf)
) -> Iterator[int]:
    """As many steps as the row with the most masks requires."""
    masked = masked_positions(state, vocab)
    yield from range(-(-int(masked.sum(1).max()) // tokens_per_step))


def step(
    model,
    state: State,
    schedule: Schedule,
    vocab: Vocab,
    order: Score,
    draw: Draw,
    rng: Generator,
    *,
    tokens_per_step: int = 1,  # positions unmasked per step; in [1, inf)
) -> State:
    """Unmasks the masked positions of each row that score highest (arXiv:2502.09992).

    Exact with one position per step, in any order, also one that depends on the model; with more it
    is not, because positions of one step are drawn independently.
    """
    masked = masked_positions(state, vocab)
    t = time_when_masked(state, masked, schedule)
    row, col, hidden = hidden_at(model, state, masked, t)
    score = order(model.token_logits, hidden, col, rng)
    best = rank(score, row) < tokens_per_step  # (N,)
    token = draw(model.token_logits(hidden[best]), rng)
    return state._replace(tokens=state.tokens.index_put((row[best], col[best]), token))


@torch.no_grad()
def sample(
    model, config: Config, start: Examples, rng: Generator, settings: SamplerFixedBudget
) -> Iterator[State]:
    """Samples the free positions of `start`; yields all states, the last is the sample."""
    schedule = config.noise.schedule
    order = settings.order
    draw = settings.tokens
    state = prior(start, config.vocab)
    yield state
    for _ in time_grid(state, config.vocab, tokens_per_step=settings.tokens_per_step):
        state = step(
            model,
            state,
            schedule,
            config.vocab,
            order,
            draw,
            rng,
            tokens_per_step=settings.tokens_per_step,
        )
        yield state
