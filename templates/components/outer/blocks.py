"""Semi-autoregressive: the text is written block by block, each by the whole loop.

Paper: arXiv:2502.09992 (LLaDA, semi-autoregressive remasking)
Also known as: block, blockwise, block_diffusion, bd3lm, semi_autoregressive, semi_ar, semiar,
    semi_autoregressive_sampling
    size: block_size, block_length, block_len, length
"""

from collections.abc import Iterator

from ..types import Examples, State, Window

EXACT = True


def windows(
    x: Examples,
    *,
    size: int = 32,  # free sites of a block; in [1, inf)
) -> Iterator[Window]:
    """The blocks, as ranges of places among the free sites of a row."""
    most = int((x.valid & ~x.fixed).sum(1).max())
    for first in range(0, most, size):
        yield Window(first, min(first + size, most))


def narrow(state: State, x: Examples, first: int, last: int) -> State:
    """Only the free sites first <= place < last may be written; later ones are seen as masks."""
    free = x.valid & ~x.fixed
    place = free.cumsum(1) - 1  # (B, L) among the free sites
    return State(state.tokens, state.valid, ~(free & (first <= place) & (place < last)))


def widen(state: State, x: Examples) -> State:
    """The state as others see it: fixed is what was given."""
    return state._replace(fixed=x.fixed.clone())
