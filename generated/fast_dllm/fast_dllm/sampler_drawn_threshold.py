"""Sampler drawn_threshold of fast_dllm.

Draws a token at every mask and keeps those above a threshold, and at least the likeliest one.
"""

from collections.abc import Iterator

import torch
from torch import Generator

from . import wrap_blocks
from .config import Config, SamplerDrawnThresholdInBlocks
from .noise import prior
from .ops import logits_at, masked_positions, probability, rank, time_when_masked
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
    threshold: float = 0.9,  # minimum of p(token | x_t) for unmasking; in [0, 1]
) -> State:
    """Unmasks the positions whose drawn tokens have p(token | x_t) >= threshold, at least one.

    Fast-dLLM (arXiv:2505.22618); `threshold` compares max_v p instead, and is equal with greedy
    tokens. p is the model's, before the temperature and the cut of `tokens`. Not exact.
    """
    masked = masked_positions(state, vocab)
    t = time_when_masked(state, masked, schedule)
    row, col, logits = logits_at(model, state, masked, t)
    token = draw(logits, rng)
    p = probability(logits, token)  # (N,)
    nth = rank(p, row)  # 0 for the likeliest
    kept = (nth == 0) | (p >= threshold)
    return state._replace(tokens=state.tokens.index_put((row[kept], col[kept]), token[kept]))


def finished(state: State, vocab: Vocab) -> bool:
    """No mask is left."""
    return not masked_positions(state, vocab).any()


@torch.no_grad()
def sample_in_blocks(
    model, config: Config, start: Examples, rng: Generator, settings: SamplerDrawnThresholdInBlocks
) -> Iterator[State]:
    """Samples the free positions of `start`; yields all states, the last is the sample."""
    schedule = config.noise.schedule
    draw = settings.tokens
    state = prior(start, config.vocab)
    yield state
    for first, last in wrap_blocks.windows(start, size=settings.wrap.blocks.size):
        state = wrap_blocks.narrow(state, start, first, last)
        for _ in time_grid(state, config.vocab):
            state = step(
                model, state, schedule, config.vocab, draw, rng, threshold=settings.threshold
            )
            yield wrap_blocks.widen(state, start)
            if finished(state, config.vocab):
                break
