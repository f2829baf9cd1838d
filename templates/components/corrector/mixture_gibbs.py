"""Draws one token of x_s again, given all others, where tokens are masked or replaced.

Paper: arXiv:2605.22765 (denoisers and leave-one-out predictions)
Also known as: leave_one_out_gibbs, gibbs_mixture
    moves: corrector_moves, num_corrector_steps, n_corrector_steps, sweeps
"""

import torch
from torch import Generator, Tensor

from ..ops import logits_at, mixed_noise, random_subset
from ..types import Draw, Mixed, MixedSchedule, Vocab

EXACT_AT = {}  # at any values


def mixture_gibbs(
    model,
    state: Mixed,
    s: Tensor,
    schedule: MixedSchedule,
    vocab: Vocab,
    draw: Draw,
    rng: Generator,
    *,
    moves: int = 1,  # tokens of a row that are drawn again after each step; in [1, inf)
) -> Mixed:
    """One free token of each row from alpha(s) p(x_0 | the other tokens) + mass(s).

    The model predicts x_0 without the token itself, so this is the conditional distribution of x_s,
    which keeps that of the whole row (arXiv:2605.22765).
    """
    alpha, (mass, _) = schedule.alpha(s), mixed_noise(s, schedule, vocab)  # (B, 1), (B, V)
    for _ in range(moves):
        free = state.valid & ~state.fixed
        chosen = random_subset(free, torch.ones_like(state.tokens[:, :1]), rng)
        if not chosen.any():
            return state
        row, col, logits = logits_at(model, state, chosen, s)
        p = alpha[row] * logits.softmax(-1) + mass[row]  # (N, V)
        state = state._replace(tokens=state.tokens.index_put((row, col), draw(p.log(), rng)))
    return state
