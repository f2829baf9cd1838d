"""Masks and random tokens: a corrupted token becomes [MASK], or any token.

Paper: arXiv:2503.04482 (GIDD); arXiv:2602.01362 (XDLM)
Also known as: gidd, xdlm, hybrid, interpolating, mask_and_uniform, mixed
"""

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ..ops import mixed_noise, random_tokens, states_p
from ..types import Examples, Mixed, MixedSchedule, Vocab

UNMARKED = True


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
    u = torch.rand(x.tokens.shape, generator=rng, device=x.tokens.device)
    corrupted = (u >= schedule.alpha(t)) & x.valid & ~x.fixed
    noisy = masks_and_tokens(x, schedule.random_share(t), vocab, rng)
    tokens = torch.where(corrupted, noisy, x.tokens)
    return Noised(tokens, x.valid, x.tokens, *mixed_noise(t.double(), schedule, vocab))


def likelihood(z: Noised, x: Examples, t: Tensor, schedule: MixedSchedule, vocab: Vocab) -> Tensor:
    """P(x_t | x_0, t), (B,)."""
    return states_p(z, x, schedule.alpha(t), mixed_noise(t, schedule, vocab)[0])


def prior(x: Examples, schedule: MixedSchedule, vocab: Vocab, rng: Generator) -> Mixed:
    """The noise at t = 1 at each free position: masks, and the share of random tokens there."""
    share = schedule.random_share(torch.ones(len(x.tokens), 1, device=x.tokens.device))
    noisy = masks_and_tokens(x, share, vocab, rng)
    tokens = torch.where(x.valid & ~x.fixed, noisy, x.tokens)
    return Mixed(tokens, x.valid.clone(), x.fixed.clone())


def masks_and_tokens(x: Examples, share: Tensor, vocab: Vocab, rng: Generator) -> Tensor:
    """At each position a random token with probability `share` (B, 1), else a mask, (B, L)."""
    v = torch.rand(x.tokens.shape, generator=rng, device=x.tokens.device)
    return torch.where(v < share, random_tokens(x, vocab, rng), vocab.mask)
