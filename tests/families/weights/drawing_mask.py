"""Absorbing noise that draws the masked positions itself, and knows their ELBO weight."""

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ..types import Examples, Schedule, State, Vocab

ELBO_WEIGHTS = {"masked_tokens": "unmasking_rate"}


class Noised(NamedTuple):
    tokens: Tensor  # (B, L)
    valid: Tensor  # (B, L)
    clean: Tensor  # (B, L) the token of x_0 at this position
    masked: Tensor  # (B, L) bool


def corrupt(x: Examples, t: Tensor, schedule: Schedule, vocab: Vocab, rng: Generator) -> Noised:
    """x_t: each free token is masked with probability 1 - alpha(t)."""
    u = torch.rand(x.tokens.shape, generator=rng, device=x.tokens.device)
    masked = (u >= schedule.alpha(t)) & x.valid & ~x.fixed
    return Noised(x.tokens.masked_fill(masked, vocab.mask), x.valid, x.tokens, masked)


def unmasking_rate(
    t: Tensor,
    schedule: Schedule,
    *,
    least: float = 1e-7,  # smallest masked share in the divisor; in (0, 0.001]
) -> Tensor:
    """-alpha'(t) / (1 - alpha(t)), (B, 1)."""
    return -schedule.dalpha(t) / (1 - schedule.alpha(t)).clamp(min=least)


def prior(x: Examples, vocab: Vocab) -> State:
    """All free positions masked."""
    tokens = x.tokens.masked_fill(x.valid & ~x.fixed, vocab.mask)
    return State(tokens, x.valid.clone(), x.fixed.clone())
