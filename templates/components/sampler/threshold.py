"""Unmasks all positions above a confidence threshold, and at least the most confident one.

Paper: arXiv:2505.22618 (Fast-dLLM, confidence-aware parallel decoding)
Also known as: confidence_threshold, threshold_decoding, parallel_decoding
    threshold: tau, thres, thresh, cutoff, confidence_threshold
Differs:
    factor: write `kind: drawn_factor`; Fast-dLLM's `factor` replaces the threshold
"""

from collections.abc import Iterator

from torch import Generator

from ..ops import logits_at, masked_positions, rank, time_when_masked
from ..types import Draw, Schedule, State, Vocab

EXACT_AT = {"threshold": 1}


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
    threshold: float = 0.9,  # minimum of max_v p(v | x_t) for unmasking; in [0, 1]
) -> State:
    """Unmasks the positions with max_v p(v | x_t) >= threshold, at least one per row.

    Fast-dLLM (arXiv:2505.22618). Not exact: positions of one step are drawn independently.
    """
    masked = masked_positions(state, vocab)
    t = time_when_masked(state, masked, schedule)
    row, col, logits = logits_at(model, state, masked, t)
    confidence = logits.softmax(-1).amax(-1)  # (N,)
    confident = (confidence >= threshold) | (rank(confidence, row) == 0)
    token = draw(logits[confident], rng)
    return state._replace(tokens=state.tokens.index_put((row[confident], col[confident]), token))


def finished(state: State, vocab: Vocab) -> bool:
    """No mask is left."""
    return not masked_positions(state, vocab).any()
