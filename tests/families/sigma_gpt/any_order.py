"""Token after token in the reading order.

Paper: arXiv:2404.09562 (sigma-GPT)
"""

from collections.abc import Iterator

import torch
from torch import Generator

from ..types import Draw, Examples
from .ordered import OrderedState, Turn

EXACT_AT = {}  # at any values


def time_grid(state: OrderedState, x: Examples) -> Iterator[Turn]:
    """One token per step."""
    for read in range(int((x.valid & ~x.fixed).sum(1).amax())):
        yield Turn(read)


def step(model, state: OrderedState, x: Examples, draw: Draw, rng: Generator) -> OrderedState:
    """Draws the next token of each row that is not complete."""
    place = state.place
    tokens, valid = state.tokens.gather(1, place), state.valid.gather(1, place)
    hidden = model(tokens, valid, place, place.roll(-1, 1))
    last = valid.sum(1) - 1
    row = (last + 1 < x.valid.sum(1)).nonzero()[:, 0]
    token = draw(model.token_logits(hidden[row, last[row]]), rng)
    col = place[row, last[row] + 1]
    return state._replace(
        tokens=state.tokens.index_put((row, col), token),
        valid=state.valid.index_put((row, col), torch.ones_like(row, dtype=torch.bool)),
    )
