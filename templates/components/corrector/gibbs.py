"""Draws one unmasked token again, given all others: a Gibbs sampler.

Paper: arXiv:2407.21243 (Zhao et al., differs)
Also known as: gibbs_corrector, gibbs_sampling
    moves: corrector_moves, num_corrector_steps, n_corrector_steps, sweeps
Differs:
    informed, informed_corrector: the informed corrector redraws the tokens of lowest confidence,
        which is not available; `gibbs` redraws a token at a uniformly drawn position
"""

import torch
from torch import Generator

from ..ops import logits_at, masked_positions, random_subset, time_when_masked, unmasked_positions
from ..types import Draw, Schedule, State, Vocab

EXACT_AT = {}  # at any values


def gibbs(
    model,
    state: State,
    schedule: Schedule,
    vocab: Vocab,
    draw: Draw,
    rng: Generator,
    *,
    moves: int = 1,  # tokens of a row that are drawn again after each step; in [1, inf)
) -> State:
    """Masks one token of each row, drawn uniformly, and draws it from p(x_i | the other tokens).

    The unmasked tokens keep their distribution if the unmasked positions do not depend on them.
    """
    for _ in range(moves):
        chosen = unmasked_positions(state, vocab)
        chosen = random_subset(chosen, torch.ones_like(state.tokens[:, :1]), rng)
        if not chosen.any():
            return state
        state = state._replace(tokens=state.tokens.masked_fill(chosen, vocab.mask))
        t = time_when_masked(state, masked_positions(state, vocab), schedule)
        row, col, logits = logits_at(model, state, chosen, t)
        state = state._replace(tokens=state.tokens.index_put((row, col), draw(logits, rng)))
    return state
