"""Unmasks all in a given number of steps, in the order of a score; a schedule gives their counts.

Paper: arXiv:2502.09992 (LLaDA, "even"); arXiv:2508.15487 (Dream, "floor")
Also known as: step_budget,
    dream (order: entropy, counts: floor, end: 0.001, tokens: {kind: top_k, k: 1}),
    topk_margin (order: margin, counts: floor, end: 0.001, tokens: {kind: top_k, k: 1})
    steps: num_steps, sampling_steps, diffusion_steps, num_iter, timesteps
    counts: num_transfer_tokens, mask_scheduling_method
    end: eps
    noise: alg_temp, order_temperature
Differs:
    dream, topk_margin: greedy by default there; at a temperature or with a cut its scores are those
        after both: add the wrap `logits_processor`
    scheduler, alpha_scheduler: write `counts: round`, with the schedule as `noise.schedule`
    stochastic_transfer: write `counts: binomial`
"""

from collections.abc import Iterator
from typing import Literal

from torch import Generator, Tensor

from ..ops import hidden_at, masked_positions, portions, rank, time_when_masked, with_gumbel
from ..types import Draw, Portion, Schedule, Score, State, Vocab

EXACT_AT = {"steps": 512, "counts": "even"}


def time_grid(
    state: State,
    schedule: Schedule,
    vocab: Vocab,
    rng: Generator,
    *,
    steps: int = 128,  # decoding steps; in a block, with `blocks`; in [1, inf)
    counts: Literal["even", "floor", "round", "masks_left", "binomial"] = "even",  # masks per step
    end: float = 0.0,  # time at which the steps end, of all counts but "even"; in [0, 1)
) -> Iterator[Portion]:
    """The number of masks that each step unmasks."""
    masks = masked_positions(state, vocab).sum(1)
    yield from portions(masks, steps, counts, end, schedule, rng)


def step(
    model,
    state: State,
    number: Tensor,
    schedule: Schedule,
    vocab: Vocab,
    order: Score,
    draw: Draw,
    rng: Generator,
    *,
    noise: float = 0.0,  # scale of Gumbel noise on the score; in [0, inf)
) -> State:
    """Unmasks the `number` masks of each row that score highest.

    LLaDA (arXiv:2502.09992); with noise Dream (arXiv:2508.15487, `alg_temp`). Exact if a step
    unmasks one position; otherwise positions of one step are drawn independently. A row is not
    evaluated in a step that unmasks none of its masks.
    """
    masked = masked_positions(state, vocab)
    where = masked & (number > 0)[:, None]
    if not where.any():
        return state._replace(tokens=state.tokens.clone())
    t = time_when_masked(state, masked, schedule)
    row, col, hidden = hidden_at(model, state, where, t)
    score = with_gumbel(order(model.token_logits, hidden, col, rng), noise, rng)
    best = rank(score, row) < number[row]  # (N,)
    token = draw(model.token_logits(hidden[best]), rng)
    return state._replace(tokens=state.tokens.index_put((row[best], col[best]), token))


def finished(state: State, vocab: Vocab) -> bool:
    """No mask is left."""
    return not masked_positions(state, vocab).any()
