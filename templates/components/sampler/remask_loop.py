"""Backwards to a level of noise, where tokens are masked and rewritten for a while; then on.

Paper: arXiv:2503.00307 (ReMDM, the loop)
Also known as: remdm_loop, remask_then_finish, loop
    alpha: alpha_on, alpha_loop
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
    schedule: Schedule,
    *,
    steps: int = 128,  # before, during and after the wait together; in [3, inf)
    alpha: float = 0.9,  # share of tokens that stand while it waits; in (0, 1)
    before: float = 0.45,  # share of the steps until then; in [0, 1]
    waits: float = 0.5,  # share of the steps that it waits; in [0, 1]
) -> Iterator[Interval]:
    """The steps t -> s, each (B, 1); s = t while it waits."""
    device = state.tokens.device
    hold = schedule.inverse(torch.tensor(alpha, device=device))
    down = min(max(1, round(steps * before)), steps - 1)
    end = max(1, steps - down - round(steps * waits))
    first = hold + (1 - hold) * torch.linspace(1, 0, down + 1, device=device)
    last = hold * torch.linspace(1, 0, end + 1, device=device)
    for t, s in pairwise(torch.cat([first, hold.expand(steps - down - end), last[1:]])):
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
    """Where time stands still masks a written token w.p. sigma, and writes as many; else writes.

    A mask is written w.p. (a_s - (1 - sigma) a_t) / (1 - a_t), a = alpha; sigma is the rule's while
    s = t, else zero (ReMDM, arXiv:2503.00307, the loop). Not exact: sites of one step are drawn
    independently.
    """
    free = state.valid & ~state.fixed
    masked = free & (state.tokens == vocab.mask)
    alpha_t, alpha_s = schedule.alpha(t), schedule.alpha(s)  # (B, 1)
    tiny = torch.finfo(alpha_t.dtype).tiny  # at t = 1 nothing stands that could be masked again
    most = ((1 - alpha_s) / alpha_t.clamp(min=tiny)).clamp(max=1)  # (B, 1)
    sigma = remasking(most, state.confidence, free & ~masked) * (s == t)  # (B, L)
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
