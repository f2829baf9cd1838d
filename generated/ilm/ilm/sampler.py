"""The sampler of ilm.

Inserts one token per step, first its gap, then the token, until the sequence is complete.
"""

from collections.abc import Iterator

import torch
from torch import Generator

from .config import Config
from .noise import prior
from .ops import gap_mass, insert_one, max_insertions, read_growing
from .types import Draw, Examples, GapState, Stop, Vocab


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


@torch.no_grad()
def sample(model, config: Config, start: Examples, rng: Generator) -> Iterator[GapState]:
    """Samples the free positions of `start`; yields all states, the last is the sample."""
    gaps = config.sampler.gaps
    draw = config.sampler.tokens
    stop = config.sampler.stop
    state = prior(start)
    yield state
    for _ in time_grid(state):
        state = step(model, state, config.vocab, stop, gaps, draw, rng)
        yield state
        if finished(state):
            return
