"""Backwards in equal steps of time, while written tokens are masked again and rewritten.

Paper: arXiv:2503.00307 (ReMDM)
Also known as: remdm, remasking, remdm_cap (remasking: cap), remdm_rescale (remasking: rescale),
    remdm_conf (remasking: confidence)
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ..types import Draw, Interval, Remask, Schedule, State, Vocab


class Remembered(NamedTuple):
    """A state, and how sure the network was of each token when it was written."""

    tokens: Tensor  # (B, L) long
    valid: Tensor  # (B, L) bool
    fixed: Tensor  # (B, L) bool
    confidence: Tensor  # (B, L) its probability; of no meaning at other sites


def enter(state: State) -> Remembered:
    """Nothing is written yet."""
    confidence = torch.zeros(state.tokens.shape, device=state.tokens.device)
    return Remembered(state.tokens, state.valid, state.fixed, confidence)


def times(
    state: Remembered,
    *,
    steps: int = 128,  # of equal length, from t = 1 to t = 0; in [1, inf)
) -> Iterator[Interval]:
    """The steps t -> s, each (B, 1)."""
    grid = torch.linspace(1, 0, steps + 1, device=state.tokens.device)
    for t, s in pairwise(grid):
        yield Interval(t.expand(len(state.tokens), 1), s.expand(len(state.tokens), 1))


def step(
    model,
    state: Remembered,
    t: Tensor,
    s: Tensor,
    schedule: Schedule,
    vocab: Vocab,
    remasking: Remask,
    draw: Draw,
    rng: Generator,
) -> Remembered:
    """Masks a written token w.p. sigma, else keeps it; writes masked ones to make up for that.

    A mask is written w.p. (a_s - (1 - sigma) a_t) / (1 - a_t), a = alpha; sigma <= (1 - a_s) / a_t
    is the rule's (ReMDM, arXiv:2503.00307). A sigma that is the same for all sites leaves the share
    of masks at each time as it was. Not exact: sites of one step are drawn independently.
    """
    free = state.valid & ~state.fixed
    masked = free & (state.tokens == vocab.mask)
    alpha_t, alpha_s = schedule.alpha(t), schedule.alpha(s)  # (B, 1)
    tiny = torch.finfo(alpha_t.dtype).tiny  # at t = 1 nothing stands that could be masked again
    most = ((1 - alpha_s) / alpha_t.clamp(min=tiny)).clamp(max=1)  # (B, 1)
    sigma = remasking(most, state.confidence, free & ~masked)  # (B, L)
    fires = (alpha_s - (1 - sigma) * alpha_t) / (1 - alpha_t)
    u = torch.rand(state.tokens.shape, generator=rng, device=state.tokens.device)
    fired, again = masked & (u < fires), free & ~masked & (u < sigma)
    tokens = state.tokens.masked_fill(again, vocab.mask)
    rows = fired.any(1).nonzero()[:, 0]
    if len(rows) == 0:
        return state._replace(tokens=tokens)
    hidden = model(state.tokens[rows], state.valid[rows], t[rows])
    local, col = fired[rows].nonzero(as_tuple=True)
    logits = model.token_logits(hidden[local, col])  # (N, V)
    token = draw(logits, rng)
    sure = logits.softmax(-1).gather(1, token[:, None])[:, 0].float()  # (N,)
    return state._replace(
        tokens=tokens.index_put((rows[local], col), token),
        confidence=state.confidence.index_put((rows[local], col), sure),
    )
