"""Wrap blocks of fast_dllm.

Semi-autoregressive: blocks are sampled from left to right, each with the full sampler.
"""

from collections.abc import Iterator

from .types import Examples, State, Window


def windows(
    x: Examples,
    *,
    size: int = 32,  # free positions per block; in [1, inf)
) -> Iterator[Window]:
    """The blocks, as ranges of indices among the free positions of a row."""
    most = int((x.valid & ~x.fixed).sum(1).max())
    for first in range(0, most, size):
        yield Window(first, min(first + size, most))


def narrow(state: State, x: Examples, first: int, last: int) -> State:
    """Only free positions first <= index < last may change; later ones are visible as masks."""
    free = x.valid & ~x.fixed
    index = free.cumsum(1) - 1  # (B, L) among the free positions
    return State(state.tokens, state.valid, ~(free & (first <= index) & (index < last)))


def widen(state: State, x: Examples) -> State:
    """The state with the fixed tokens of `x`."""
    return state._replace(fixed=x.fixed.clone())
