"""Drops a token or inserts one, at the rate of the noise and its reverse rate.

Paper: arXiv:2506.09018 (Edit Flows, reverse rates); the acceptance is derived here
Also known as: reverse_rates, drop_and_insert, self_correction, metropolis_insertion
    moves: corrector_moves, num_corrector_steps, n_corrector_steps, sweeps
Differs:
    reverse_rates: the authors add both rates to those of a step, which is exact in the limit of
        many steps; here each move keeps the distribution
"""

import torch
from torch import Generator, Tensor

from ..ops import compact, insert_drawn, random_subset
from ..types import Draw, GapState, Schedule

EXACT_AT = {}  # at any values
REQUIRES = {"process": ("independent_drop",), "target": ("gap_counts", "expected_gap_counts")}


def reverse_rate(
    model,
    state: GapState,
    s: Tensor,
    schedule: Schedule,
    draw: Draw,
    rng: Generator,
    *,
    moves: int = 1,  # drops or insertions of a row that are tried after each step; in [1, inf)
) -> GapState:
    """A move of each row that keeps the distribution of x_s, if tokens are dropped independently.

    Let x have n free tokens, one more than y. The flow x -> y of drops at rate 1 is the flow back
    at the rates alpha times the heads: w(y) in all. So a drop of a uniform token is accepted w.p.
    min(1, n / w(y)), an insertion in proportion to the rates w.p. min(1, w(y) / n) (Metropolis and
    Hastings). Both need the heads at y alone: one function evaluation. At s = 0 nothing is changed.
    """
    alpha, later = schedule.alpha(s), s > 0  # (B, 1)
    for _ in range(moves):
        u = torch.rand((2, len(s), 1), generator=rng, device=s.device)
        free = state.valid & ~state.fixed
        drops = (u[0] < 0.5) & free.any(1, keepdim=True) & later
        inserts = (u[0] >= 0.5) & ~state.valid.all(1, keepdim=True) & later
        chosen = random_subset(free, drops.long(), rng)
        valid, tokens, fixed, open = compact(
            state.valid & ~chosen, state.tokens, state.fixed, state.open
        )
        less = GapState(tokens, valid, fixed & valid, open & valid)  # y
        hidden = model(less.tokens, less.valid, s)
        row, col = less.open.nonzero(as_tuple=True)
        rate = torch.zeros_like(u[0]).expand(free.shape).to(hidden)
        rate = alpha * rate.index_put((row, col), model.gap_count(hidden[row, col]).to(hidden))
        ratio = rate.sum(1, keepdim=True) / (free.sum(1, keepdim=True) + inserts)  # w / n
        drops, inserts = drops & (u[1] * ratio < 1), inserts & (u[1] < ratio)
        row = inserts.nonzero()[:, 0]
        gap = torch.multinomial(rate[row], 1, generator=rng)[:, 0] if len(row) else row
        more = insert_drawn(state, row, gap, draw(model.gap_token_logits(hidden[row, gap]), rng))
        state = GapState(*(torch.where(drops, a, b) for a, b in zip(less, more, strict=True)))
    return state
