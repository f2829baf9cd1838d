"""The sampler of maskgit.

Draws a token at every mask and keeps the likeliest of them, in a given number of steps.
"""

from collections.abc import Iterator
from typing import Literal

import torch
from torch import Generator, Tensor

from .config import Config
from .noise import prior
from .ops import (
    logits_at,
    masked_positions,
    portions,
    probability,
    rank,
    time_when_masked,
    with_gumbel,
)
from .types import Draw, Examples, Portion, Schedule, State, Vocab


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
    later: float,
    schedule: Schedule,
    vocab: Vocab,
    draw: Draw,
    rng: Generator,
    *,
    noise: float = 0.0,  # scale of Gumbel noise on the confidence; in [0, inf)
    annealed: bool = False,  # noise on its logarithm, falling to zero with the steps (MaskGIT)
    eos_last: bool = False,  # a drawn EOS has confidence 0
) -> State:
    """Unmasks the `number` masks of each row whose drawn tokens have the highest p(token | x_t).

    LLaDA (arXiv:2502.09992), Dream's maskgit_plus (arXiv:2508.15487); with annealed noise MaskGIT
    (arXiv:2202.04200). p is the model's, before the temperature and the cut of `tokens`. Not exact,
    not even with one position per step: likely tokens are kept more often than p.
    """
    masked = masked_positions(state, vocab)
    where = masked & (number > 0)[:, None]
    if not where.any():
        return state._replace(tokens=state.tokens.clone())
    t = time_when_masked(state, masked, schedule)
    row, col, logits = logits_at(model, state, where, t)
    token = draw(logits, rng)
    if eos_last:
        logits = logits.index_fill(1, torch.tensor([vocab.eos], device=row.device), -torch.inf)
    p = probability(logits, token)  # (N,)
    score = with_gumbel(p.log(), noise * later, rng) if annealed else with_gumbel(p, noise, rng)
    kept = rank(score, row) < number[row]
    return state._replace(tokens=state.tokens.index_put((row[kept], col[kept]), token[kept]))


def finished(state: State, vocab: Vocab) -> bool:
    """No mask is left."""
    return not masked_positions(state, vocab).any()


@torch.no_grad()
def sample(model, config: Config, start: Examples, rng: Generator) -> Iterator[State]:
    """Samples the free positions of `start`; yields all states, the last is the sample."""
    schedule = config.noise.schedule
    draw = config.sampler.tokens
    state = prior(start, config.vocab)
    yield state
    for number, later in time_grid(
        state,
        schedule,
        config.vocab,
        rng,
        steps=config.sampler.steps,
        counts=config.sampler.counts,
        end=config.sampler.end,
    ):
        state = step(
            model,
            state,
            number,
            later,
            schedule,
            config.vocab,
            draw,
            rng,
            noise=config.sampler.noise,
            annealed=config.sampler.annealed,
            eos_last=config.sampler.eos_last,
        )
        yield state
        if finished(state, config.vocab):
            return
