"""Unmasks a fixed number of positions per step, in the order of a score.

Paper: arXiv:2502.09992 (LLaDA); arXiv:2202.04200 (MaskGIT, differs)
Also known as: maskgit (order: confidence), confidence (order: confidence),
    maskgit_plus (order: confidence, tokens: {kind: top_k, k: 1}),
    llada (order: confidence, tokens: {kind: top_k, k: 1}),
    low_confidence (order: confidence, tokens: {kind: top_k, k: 1}),
    topk_margin (order: margin, tokens: {kind: top_k, k: 1}),
    confidence_decoding (order: confidence), margin (order: margin), entropy (order: entropy),
    random (order: random)
    tokens_per_step: per_step, num_tokens_per_step, sites_per_step, num_per_step, n_per_step, k,
        budget
Differs:
    maskgit: MaskGIT scores by the probability of the drawn token plus annealed Gumbel noise and
        unmasks numbers along a cosine, which is not available; the two agree with greedy tokens,
        without that noise and with a constant number per step
    llada, low_confidence: LLaDA is greedy by default; at a temperature it scores by the
        probability of the drawn token, which is not available; its steps divide a block evenly,
        `tokens_per_step` is constant
    maskgit_plus, topk_margin: Dream is greedy by default; its numbers per step, int(n (1 - s / t)),
        are not available: `tokens_per_step` is constant
    alg_temp, choice_temperature: noise on the unmasking order is not available; without it the
        order is that of the score
    stochastic_transfer: a random number of positions per step is not available:
        `tokens_per_step` is constant
    steps, num_steps, sampling_steps, diffusion_steps: write `tokens_per_step`, the number of
        positions unmasked per step
"""

from collections.abc import Iterator

from torch import Generator

from ..ops import logits_at, masked_positions, rank, time_when_masked
from ..types import Draw, Schedule, Score, State, Vocab

EXACT_AT = {"tokens_per_step": 1}


def time_grid(
    state: State,
    vocab: Vocab,
    *,
    tokens_per_step: int = 1,  # positions unmasked per step; in [1, inf)
) -> Iterator[int]:
    """As many steps as the row with the most masks requires."""
    masked = masked_positions(state, vocab)
    yield from range(-(-int(masked.sum(1).max()) // tokens_per_step))


def step(
    model,
    state: State,
    schedule: Schedule,
    vocab: Vocab,
    order: Score,
    draw: Draw,
    rng: Generator,
    *,
    tokens_per_step: int = 1,  # positions unmasked per step; in [1, inf)
) -> State:
    """Unmasks the masked positions of each row that score highest (arXiv:2502.09992).

    Exact with one position per step, in any order, also one that depends on the model; with more it
    is not, because positions of one step are drawn independently.
    """
    masked = masked_positions(state, vocab)
    t = time_when_masked(state, masked, schedule)
    row, col, logits = logits_at(model, state, masked, t)
    best = rank(order(logits, col, rng), row) < tokens_per_step  # (N,)
    token = draw(logits[best], rng)
    return state._replace(tokens=state.tokens.index_put((row[best], col[best]), token))
