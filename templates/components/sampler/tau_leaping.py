"""Masks turn into tokens while further masks are inserted, at rates that a step freezes.

Paper: arXiv:2509.01025 (FlexMDM)
Also known as: flexmdm, flex_mdm, insert_and_unmask, any_length, tau_leap,
    adaptive (order: confidence), adaptive_confidence (order: confidence)
    steps: num_steps, n_steps, num_sampling_steps, sampling_steps, num_inference_steps,
        diffusion_steps, timesteps, num_timesteps, max_steps, nfe, t
Differs:
    flexmdm: the authors discard all insertions of a row that would be longer than the canvas; here
        those that fit are made
    adaptive_confidence: the authors' confidence is that of the unmasking rates; here it is the
        probability of the likeliest token
"""

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from ..ops import insert, intervals, masked_positions, rank, scatter
from ..types import Draw, GapState, Interval, Schedule, Score, Vocab

EXACT_AT = {"steps": 1024}  # nearly: the error decreases with the steps


def time_grid(
    state: GapState,
    *,
    steps: int = 128,  # equal steps from t = 1 to t = 0, then one without insertions; in [2, inf)
) -> Iterator[Interval]:
    """The steps t -> s, each (B, 1). The last one begins right before t = 0."""
    grid = torch.linspace(1, 0, steps, device=state.tokens.device)
    grid[-1] = 1e-3 / steps
    yield from intervals(torch.cat([grid, grid.new_zeros(1)]), state)


def step(
    model,
    state: GapState,
    t: Tensor,
    s: Tensor,
    schedule: Schedule,
    drop_schedule: Schedule,
    vocab: Vocab,
    order: Score,
    draw: Draw,
    rng: Generator,
) -> GapState:
    """Unmasks k ~ Binomial(masks, (alpha(s) - alpha(t)) / (1 - alpha(t))) best-scored positions.

    In each open gap it inserts a Poisson number of masks with the mean (alpha_drop(s) -
    alpha_drop(t)) times the head, as many as fit; none if s = 0. The head times 1 - alpha_drop(t)
    is the expected number of missing tokens (FlexMDM, arXiv:2509.01025). A rate that is frozen
    and integrated instead diverges at t = 0.
    """
    hidden = model(state.tokens, state.valid, t)
    masked = masked_positions(state, vocab)
    corrupted = 1 - schedule.alpha(t)  # (B, 1); it underflows near t = 0, where all are unmasked
    unmasked = 1 - (1 - schedule.alpha(s)) / corrupted.clamp(min=torch.finfo(t.dtype).tiny)
    u = torch.rand(masked.shape, generator=rng, device=t.device)
    k = (masked & (u < unmasked)).sum(1)
    row, col = (masked & (k > 0)[:, None]).nonzero(as_tuple=True)
    score = order(model.token_logits, hidden[row, col], col, rng)
    best = rank(score, row) < k[row]  # (N,)
    where = row[best], col[best]
    tokens = state.tokens.index_put(where, draw(model.token_logits(hidden[where]), rng))
    inserted = (drop_schedule.alpha(s) - drop_schedule.alpha(t)) * (s > 0)  # (B, 1)
    row, col = state.open.nonzero(as_tuple=True)
    mean = inserted[row, 0] * model.gap_count(hidden[row, col])
    number = torch.poisson(mean, generator=rng).long()
    valid, new, source = insert(scatter(number, row, col, tokens), state.valid)
    return GapState(
        tokens=tokens.gather(1, source).masked_fill(new, vocab.mask),
        valid=valid,
        fixed=state.fixed.gather(1, source) & valid & ~new,
        open=state.open.gather(1, source) & valid,
    )
