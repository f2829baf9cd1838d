"""Masks and random tokens: a corrupted token becomes [MASK], or any token.

Paper: arXiv:2503.04482 (GIDD)
Also known as: gidd, hybrid, interpolating, mask_and_uniform, mixed
"""

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ..ops import mixed_tokens, random_tokens, states_p
from ..types import Examples, Mixed, MixedSchedule, Vocab


class Noised(NamedTuple):
    tokens: Tensor  # (B, L)
    valid: Tensor  # (B, L)
    clean: Tensor  # (B, L) the token of x_0 at this position
    mass: Tensor  # (B, V) float64, P(x_t = y | x_0) at time t for each y other than x_0
    dmass: Tensor  # (B, V) float64, its derivative


def corrupt(
    x: Examples, t: Tensor, schedule: MixedSchedule, vocab: Vocab, rng: Generator
) -> Noised:
    """x_t: each free token is corrupted with probability 1 - alpha(t) (GIDD, arXiv:2503.04482).

    A share of corrupted tokens is random, the others are masked.
    """
    u, v = (torch.rand(x.tokens.shape, generator=rng, device=x.tokens.device) for _ in range(2))
    corrupted = (u >= schedule.alpha(t)) & x.valid & ~x.fixed
    masked = x.tokens.masked_fill(corrupted, vocab.mask)
    random = corrupted & (v < schedule.random_share(t))
    tokens = torch.where(random, random_tokens(x, vocab, rng), masked)
    time = t.double()
    mixed, mask = (mixed_tokens(share, vocab) for share in (schedule.random_share(time), 0 * time))
    noise, uniform = 1 - schedule.alpha(time), mixed_tokens(torch.ones_like(time), vocab)
    dmixed = schedule.drandom_share(time) * (uniform - mask)
    dmass = noise * dmixed - schedule.dalpha(time) * mixed
    return Noised(tokens, x.valid, x.tokens, noise * mixed, dmass)


def likelihood(z: Noised, x: Examples, t: Tensor, schedule: MixedSchedule, vocab: Vocab) -> Tensor:
    """P(x_t | x_0, t), (B,)."""
    alpha = schedule.alpha(t)
    return states_p(z, x, alpha, (1 - alpha) * mixed_tokens(schedule.random_share(t), vocab))


def prior(x: Examples, vocab: Vocab) -> Mixed:
    """All free positions masked."""
    tokens = x.tokens.masked_fill(x.valid & ~x.fixed, vocab.mask)
    return Mixed(tokens, x.valid.clone(), x.fixed.clone())
