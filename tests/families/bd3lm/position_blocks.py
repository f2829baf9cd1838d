"""Block after block of positions; only the free positions of the block may change.

Paper: arXiv:2503.09573 (BD3-LM)
"""

from collections.abc import Iterator

import torch

from ..types import Examples, State, Window

EXACT_AT = {}  # at any values


def windows(x: Examples, block: int) -> Iterator[Window]:
    """The blocks that contain a free position, as ranges of positions."""
    free = (x.valid & ~x.fixed).any(0)
    for first in range(0, len(free), block):
        if free[first : first + block].any():
            yield Window(first, first + block)


def narrow(state: State, x: Examples, first: int, last: int) -> State:
    """Only the free positions first <= position < last may change."""
    position = torch.arange(x.tokens.shape[1], device=x.tokens.device)
    free = x.valid & ~x.fixed & (first <= position) & (position < last)
    return State(state.tokens, state.valid, ~free)


def widen(state: State, x: Examples) -> State:
    """The state with the fixed tokens of `x`."""
    return state._replace(fixed=x.fixed.clone())
