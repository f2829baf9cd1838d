"""In every step all sites of which the network is sure enough, and the surest in any case.

Paper: arXiv:2505.22618 (Fast-dLLM, confidence-aware parallel decoding)
Also known as: confidence_threshold, threshold_decoding, fast_dllm, parallel_decoding
    threshold: tau, thres, thresh, cutoff, confidence_threshold
"""

from collections.abc import Iterator

from torch import Generator

from ..ops import rank
from ..types import Draw, Schedule, State, Vocab

EXACT = {"threshold": 1}


def times(state: State, vocab: Vocab) -> Iterator[int]:
    """At most one step a mask."""
    masked = (state.tokens == vocab.mask) & state.valid & ~state.fixed
    yield from range(int(masked.sum(1).max()))


def step(
    model,
    state: State,
    schedule: Schedule,
    vocab: Vocab,
    draw: Draw,
    rng: Generator,
    *,
    threshold: float = 0.9,  # probability of the likeliest token, from which it is sure; in [0, 1]
) -> State:
    """Unmasks the masked sites with max_v p(v | x_t) >= threshold, at least one a row.

    Fast-dLLM (arXiv:2505.22618). The network is told the time at which this share of sites is
    masked. Not exact: sites of one step are independent.
    """
    free = state.valid & ~state.fixed
    masked = (state.tokens == vocab.mask) & free
    rows = masked.any(1).nonzero()[:, 0]
    share = masked[rows].sum(1, keepdim=True) / free[rows].sum(1, keepdim=True)
    hidden = model(state.tokens[rows], state.valid[rows], schedule.inverse(1 - share))
    row, col = masked[rows].nonzero(as_tuple=True)
    logits = model.token_logits(hidden[row, col])  # (N, V)
    confidence = logits.softmax(-1).amax(-1)  # (N,)
    sure = (confidence >= threshold) | (rank(confidence, row) == 0)
    token = draw(logits[sure], rng)
    return state._replace(tokens=state.tokens.index_put((rows[row[sure]], col[sure]), token))


def finished(state: State, vocab: Vocab) -> bool:
    """No mask is left."""
    return not ((state.tokens == vocab.mask) & state.valid & ~state.fixed).any()
