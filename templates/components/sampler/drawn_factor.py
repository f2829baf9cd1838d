"""Draws a token at every mask and keeps the likeliest n, as many as their confidence allows.

Paper: arXiv:2505.22618 (Fast-dLLM, factor-based parallel decoding)
Also known as: dynamic_threshold, fast_dllm_factor (tokens: {kind: top_k, k: 1})
    factor: f
Differs:
    fast_dllm_factor: greedy by default there; its code also unmasks the last mask of a block if it
        is the only one that fails
"""

from collections.abc import Iterator

from torch import Generator

from ..ops import logits_at, masked_positions, probability, rank, time_when_masked
from ..types import Draw, Schedule, State, Vocab


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
    factor: float = 1.0,  # larger: more positions per step; in [0, inf)
) -> State:
    """Unmasks the n likeliest drawn tokens: the n-th needs (n + 1) (1 - p(token | x_t)) <= factor.

    At least one per row. Fast-dLLM (arXiv:2505.22618, factor). p is the model's, before the
    temperature and the cut of `tokens`. Not exact.
    """
    masked = masked_positions(state, vocab)
    t = time_when_masked(state, masked, schedule)
    row, col, logits = logits_at(model, state, masked, t)
    token = draw(logits, rng)
    p = probability(logits, token)  # (N,)
    nth = rank(p, row)  # 0 for the likeliest
    kept = (nth == 0) | ((nth + 2) * (1 - p) <= factor)
    return state._replace(tokens=state.tokens.index_put((row[kept], col[kept]), token[kept]))


def finished(state: State, vocab: Vocab) -> bool:
    """No mask is left."""
    return not masked_positions(state, vocab).any()
