"""Sampler scheduled_budget of llada.

Unmasks all in a given number of steps, in the order of a score; a schedule gives their counts.
"""

from collections.abc import Iterator
from typing import Literal

import torch
from torch import Generator, Tensor

from .config import Config, SamplerScheduledBudget
from .noise import prior
from .ops import hidden_at, masked_positions, portions, rank, time_when_masked, with_gumbel
from .types import Draw, Examples, Portion, Schedule, Score, State, Vocab


def time_grid(
    state: State,
    schedule: Schedule,
    vocab: Vocab,
    rng: Generator,
    *,
    steps: int = 128,  # decoding steps; in a block, with `blocks`; in [1, inf)
    counts: Literal["even", "floor", "round", "masks_left", "binomial"] = "even",  # masks per step
    end: float = 0.0,  # time at which the steps end, of all counts but "even"; in [0, 1)
) -> Iterator[Portion]:
    """The number of masks that each step unmasks."""
    masks = masked_positions(state, vocab).sum(1)
    yield from portions(masks, steps, counts, end, schedule, rng)


def step(
    model,
    state: State,
    number: Tensor,
    schedule: Schedule,
    vocab: Vocab,
    order: Score,
    draw: Draw,
    rng: Generator,
    *,
    noise: float = 0.0,  # scale of Gumbel noise on the score; in [0, inf)
) -> State:
    """Unmasks the `number` masks of each row that score highest.

    LLaDA (arXiv:2502.09992); with noise Dream (arXiv:2508.15487, `alg_temp`). Exact if a step
    unmasks one position; otherwise positions of one step are drawn independently. A row is not
    evaluated in a step that unmasks none of its masks.
    """
    masked = masked_positions(state, vocab)
    where = masked & (number > 0)[:, None]
    if not where.any():
        return state._replace(tokens=state.tokens.clone())
    t = time_when_masked(state, masked, schedule)
    row, col, hidden = hidden_at(model, state, where, t)
    score = with_gumbel(order(model.token_logits, hidden, col, rng), noise, rng)
    best = rank(score, row) < number[row]  # (N,)
    token = draw(model.token_logits(hidden[best]), rng)
    return state._replace(tokens=state.tokens.index_put((row[best], col[best]), token))


def finished(state: State, vocab: Vocab) -> bool:
    """No mask is left."""
    return not masked_positions(state, vocab).any()


@torch.no_grad()
def sample(
    model, config: Config, start: Examples, rng: Generator, settings: SamplerScheduledBudget
) -> Iterator[State]:
    """Samples the free positions of `start`; yields all states, the last is the sample."""
    schedule = config.noise.schedule
    order = settings.order
    draw = settings.tokens
    state = prior(start, config.vocab)
    yield state
    for number, _ in time_grid(
        state,
        schedule,
        config.vocab,
        rng,
        steps=settings.steps,
        counts=settings.counts,
        end=settings.end,
    ):
        state = step(
            model, state, number, schedule, config.vocab, order, draw, rng, noise=settings.noise
        )
        yield state
        if finished(state, config.vocab):
            return
