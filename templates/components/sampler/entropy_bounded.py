"""In every step as many of the most certain sites as their joint error allows.

Paper: arXiv:2505.24857 (Ben-Hamu et al., the EB-Sampler)
Also known as: eb_sampler, entropy_bound, eb, ebs
    gamma: epsilon, bound, entropy_bound, entropy_budget
"""

from collections.abc import Iterator

from torch import Generator

from ..ops import rank
from ..types import Draw, Schedule, State, Vocab

EXACT = {"gamma": 0}


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
    gamma: float = 0.1,  # nats that sites written together may share; in [0, inf)
) -> State:
    """Unmasks the most certain sites of each row, as many as gamma allows, at least one.

    Their entropies less the largest sum to at most gamma: that bounds what sites drawn
    independently miss of their joint law (EB-Sampler, arXiv:2505.24857). The network is told the
    time at which this share of sites is masked. Exact with gamma = 0: then sites go one by one,
    but for those that are certain. Else sites of one step are independent.
    """
    free = state.valid & ~state.fixed
    masked = (state.tokens == vocab.mask) & free
    rows = masked.any(1).nonzero()[:, 0]
    share = masked[rows].sum(1, keepdim=True) / free[rows].sum(1, keepdim=True)
    hidden = model(state.tokens[rows], state.valid[rows], schedule.inverse(1 - share))
    row, col = masked[rows].nonzero(as_tuple=True)
    logits = model.token_logits(hidden[row, col])  # (N, V)
    p = logits.softmax(-1)
    entropy = -p.xlogy(p).sum(-1)  # (N,)
    place = rank(-entropy, row)  # (N,) the most certain site of each row is 0
    ranked = entropy.new_zeros(masked[rows].shape).index_put((row, place), entropy)  # (B, L)
    before = ranked.cumsum(1) - ranked  # of the more certain sites: the sum less the largest
    joint = before[row, place] <= gamma  # (N,)
    token = draw(logits[joint], rng)
    return state._replace(tokens=state.tokens.index_put((rows[row[joint]], col[joint]), token))


def finished(state: State, vocab: Vocab) -> bool:
    """No mask is left."""
    return not ((state.tokens == vocab.mask) & state.valid & ~state.fixed).any()
