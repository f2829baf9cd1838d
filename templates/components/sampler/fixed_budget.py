"""Unmasks a fixed number of positions per step, in the order of a score.

Paper: arXiv:2502.09992 (LLaDA); arXiv:2202.04200 (MaskGIT, differs)
Also known as: confidence (order: confidence), confidence_decoding (order: confidence),
    margin (order: margin), entropy (order: entropy), random (order: random)
    tokens_per_step: per_step, num_tokens_per_step, sites_per_step, num_per_step, n_per_step, k,
        budget
Differs:
    alg_temp, choice_temperature: noise on the order is `noise` of `scheduled_budget`, or, on the
        probability of the drawn token, of `drawn_confidence` (MaskGIT's also `annealed: true`)
    steps, num_steps, sampling_steps, diffusion_steps: write `tokens_per_step`, the number of
        positions unmasked per step; in a given number of steps: `kind: scheduled_budget`
"""

from collections.abc import Iterator

from torch import Generator

from ..ops import hidden_at, masked_positions, rank, time_when_masked
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
    row, col, hidden = hidden_at(model, state, masked, t)
    score = order(model.token_logits, hidden, col, rng)
    best = rank(score, row) < tokens_per_step  # (N,)
    token = draw(model.token_logits(hidden[best]), rng)
    return state._replace(tokens=state.tokens.index_put((row[best], col[best]), token))
