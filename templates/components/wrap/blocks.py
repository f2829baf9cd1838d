"""Semi-autoregressive: blocks are sampled from left to right, each with the full sampler.

Paper: arXiv:2502.09992 (LLaDA, semi-autoregressive remasking)
Also known as: block, blockwise, block_diffusion, bd3lm, semi_autoregressive, semi_ar, semiar,
    semi_autoregressive_sampling
    size: block_size, block_length, block_len, length
Differs:
    block_diffusion, bd3lm: BD3-LM is also trained in blocks, which is not available; this is
        only a sampler, and later blocks are visible, as masks
    semi_autoregressive_sampling, semi_ar: MDLM slides a window (a stride) along a longer
        sequence, which is not available; blocks are LLaDA's: parts of one canvas
"""

from collections.abc import Iterator

from ..types import Examples, State, Window

EXACT_AT = {}  # at any values


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
