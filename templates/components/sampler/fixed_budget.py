"""The same number of sites in every step, the best-scored ones first.

Paper: arXiv:2202.04200 (MaskGIT); arXiv:2502.09992 (LLaDA)
Also known as: maskgit (sites: confidence), maskgit_plus (sites: confidence),
    llada (sites: confidence), low_confidence (sites: confidence), confidence (sites: confidence),
    confidence_decoding (sites: confidence), topk_margin (sites: margin), margin (sites: margin),
    entropy (sites: entropy), random (sites: random)
    per_step: tokens_per_step, num_tokens_per_step, sites_per_step, num_per_step, n_per_step, k,
        budget
"""

from collections.abc import Iterator

from torch import Generator

from ..ops import rank
from ..types import Draw, Schedule, Score, State, Vocab

EXACT = {"per_step": 1}


def times(
    state: State,
    vocab: Vocab,
    *,
    per_step: int = 1,  # sites unmasked by each network call; in [1, inf)
) -> Iterator[int]:
    """As many steps as the row with the most masks needs."""
    masked = (state.tokens == vocab.mask) & state.valid & ~state.fixed
    yield from range(-(-int(masked.sum(1).max()) // per_step))


def step(
    model,
    state: State,
    schedule: Schedule,
    vocab: Vocab,
    sites: Score,
    draw: Draw,
    rng: Generator,
    *,
    per_step: int = 1,  # sites unmasked by each network call; in [1, inf)
) -> State:
    """Unmasks the `per_step` masked sites of each row that score highest.

    MaskGIT (arXiv:2202.04200); LLaDA (arXiv:2502.09992). The network is told the time at which
    this share of sites is masked: alpha(t) = 1 - share. With one site a step exact in any order,
    also one that is led by the network; sites of one step are independent, so more are not exact.
    """
    free = state.valid & ~state.fixed
    masked = (state.tokens == vocab.mask) & free
    rows = masked.any(1).nonzero()[:, 0]
    share = masked[rows].sum(1, keepdim=True) / free[rows].sum(1, keepdim=True)
    hidden = model(state.tokens[rows], state.valid[rows], schedule.inverse(1 - share))
    row, col = masked[rows].nonzero(as_tuple=True)
    logits = model.token_logits(hidden[row, col])  # (N, V)
    best = rank(sites(logits, col, rng), row) < per_step  # (N,)
    token = draw(logits[best], rng)
    return state._replace(tokens=state.tokens.index_put((rows[row[best]], col[best]), token))
