"""Uniform noise: a corrupted token becomes any token, with equal probabilities.

Paper: arXiv:2412.10193 (UDLM); arXiv:2107.03006 (D3PM, uniform)
Also known as: uniform_state, uniform_diffusion, udlm, d3pm_uniform, random, random_tokens, replace,
    substitution
Differs:
    duo: Duo's uniform noise comes from a Gaussian, whose curriculum is not available
"""

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ..ops import random_tokens, states_p, uniform_tokens
from ..types import Examples, Replaced, Schedule, Vocab

UNMARKED = True


class Noised(NamedTuple):
    tokens: Tensor  # (B, L)
    valid: Tensor  # (B, L)
    clean: Tensor  # (B, L) the token of x_0 at this position
    mass: Tensor  # (B, V) float64, P(x_t = y | x_0) at time t for each y other than x_0
    dmass: Tensor  # (B, V) float64, its derivative


def corrupt(x: Examples, t: Tensor, schedule: Schedule, vocab: Vocab, rng: Generator) -> Noised:
    """x_t: each free token is drawn anew with probability 1 - alpha(t) (UDLM, arXiv:2412.10193).

    It may be drawn as itself: q(y | x_0) = alpha(t) [y = x_0] + (1 - alpha(t)) / K.
    """
    u = torch.rand(x.tokens.shape, generator=rng, device=x.tokens.device)
    replaced = (u >= schedule.alpha(t)) & x.valid & ~x.fixed
    tokens = torch.where(replaced, random_tokens(x, vocab, rng), x.tokens)
    time = t.double()
    uniform = uniform_tokens(vocab, time)
    mass, dmass = (1 - schedule.alpha(time)) * uniform, -schedule.dalpha(time) * uniform
    return Noised(tokens, x.valid, x.tokens, mass, dmass)


def likelihood(z: Noised, x: Examples, t: Tensor, schedule: Schedule, vocab: Vocab) -> Tensor:
    """P(x_t | x_0, t), (B,)."""
    alpha = schedule.alpha(t)
    return states_p(z, x, alpha, (1 - alpha) * uniform_tokens(vocab, alpha))


def prior(x: Examples, vocab: Vocab, rng: Generator) -> Replaced:
    """Any token at each free position."""
    tokens = torch.where(x.valid & ~x.fixed, random_tokens(x, vocab, rng), x.tokens)
    return Replaced(tokens, x.valid.clone(), x.fixed.clone())
