"""Draws a token at every mask and keeps those above a threshold, and at least the likeliest one.

Paper: arXiv:2505.22618 (Fast-dLLM, confidence-aware parallel decoding)
Also known as: fast_dllm (tokens: {kind: top_k, k: 1})
    threshold: tau, thres, thresh, cutoff, confidence_threshold
Differs:
    fast_dllm: greedy by default there; without `tokens` tokens are drawn at temperature 1; its
        prefix and dual caches are not available
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
