"""Sampler entropy_bounded of mdlm_samplers.

Unmasks the positions of lowest entropy, as many as a bound on the joint error allows.
"""

from collections.abc import Iterator
from typing import Literal

import torch
from torch import Generator

from .config import Config, SamplerEntropyBounded
from .noise import prior
from .ops import logits_at, masked_positions, rank, time_when_masked
from .types import Draw, Examples, Schedule, State, Vocab


def time_grid(state: State, vocab: Vocab) -> Iterator[int]:
    """At most one step per mask."""
    yield from range(int(masked_positions(state, vocab).sum(1).max()))


def step(
    model,
    state: State,
    schedule: Schedule,
    vocab: Vocab,
    draw: Draw,
    rng: Generator,
    *,
    gamma: float = 0.1,  # bound on the joint error of a step, in nats; in [0, inf)
    proxy: Literal["entropy", "confidence", "margin"] = "entropy",  # order of the positions
) -> State:
    """Unmasks the positions of lowest entropy in each row, as many as gamma allows, at least one.

    Their entropies minus the largest sum to at most gamma, which bounds the error of drawing them
    independently (EB-Sampler, arXiv:2505.24857). Other error proxies go first to the positions of
    the largest probability, or of the largest margin to the second one. Exact with gamma = 0: one
    position per step, and those without entropy. Otherwise positions of one step are drawn
    independently.
    """
    masked = masked_positions(state, vocab)
    t = time_when_masked(state, masked, schedule)
    row, col, logits = logits_at(model, state, masked, t)
    p = logits.softmax(-1)
    entropy = -p.xlogy(p).sum(-1)  # (N,)
    first, second = p.topk(2).values.unbind(-1)
    certainty = {"entropy": -entropy, "confidence": first, "margin": first - second}[proxy]
    nth = rank(certainty, row)  # (N,) 0 at the most certain position of each row
    ranked = entropy.new_zeros(masked.shape).index_put((row, nth), entropy)  # (B, L)
    joint_error = ranked.cumsum(1) - ranked.cummax(1).values  # of the positions up to this one
    joint = joint_error[row, nth] <= gamma  # (N,)
    token = draw(logits[joint], rng)
    return state._replace(tokens=state.tokens.index_put((row[joint], col[joint]), token))


def finished(state: State, vocab: Vocab) -> bool:
    """No mask is left."""
    return not masked_positions(state, vocab).any()


@torch.no_grad()
def sample(
    model, config: Config, start: Examples, rng: Generator, settings: SamplerEntropyBounded
) -> Iterator[State]:
    """Samples the free positions of `start`; yields all states, the last is the sample."""
    schedule = config.noise.schedule
    draw = settings.tokens
    state = prior(start, config.vocab)
    yield state
    for _ in time_grid(state, config.vocab):
        state = step(
            model,
            state,
            schedule,
            config.vocab,
            draw,
            rng,
            gamma=settings.gamma,
            proxy=settings.proxy,
        )
        yield state
        if finished(state, config.vocab):
            return
