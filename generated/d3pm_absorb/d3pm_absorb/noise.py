"""The noise of d3pm_absorb: schedule stationary, time discrete, process mixture."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from .ops import mixed_noise, random_tokens, states_p
from .types import Examples, Mixed, MixedSchedule, Vocab


@dataclass(frozen=True)
class StationarySchedule:
    """q_t(y | x) = alpha [y = x] + (1 - alpha) ((1 - k) [y = mask] + k / K) (arXiv:2602.01362).

    k is the share: 0 is absorbing noise, 1 is uniform noise. alpha = (1 - t)^n, in flow time
    kappa(t) = t^n (arXiv:2407.15595), with n the flow power.
    """

    share: float = 0.1  # of the corrupted tokens that are random, the others are masks; in [0, 1]
    flow_power: float = 1.0  # n; 1 is linear; in [1, 3]

    def alpha(self, t: Tensor) -> Tensor:
        return (1 - t) ** self.flow_power

    def dalpha(self, t: Tensor) -> Tensor:
        return -self.flow_power * (1 - t) ** (self.flow_power - 1)

    def inverse(self, alpha: Tensor) -> Tensor:
        return 1 - alpha ** (1 / self.flow_power)

    def random_share(self, t: Tensor) -> Tensor:
        return torch.full_like(t, self.share)

    def drandom_share(self, t: Tensor) -> Tensor:
        return torch.zeros_like(t)


def sample_time(
    x: Examples,
    rng: Generator,
    *,
    noise_steps: int = 1000,  # number of times, T; in [1, inf)
) -> Tensor:
    """t = k / T, k ~ U{1, ..., T}, (B, 1)."""
    device = x.tokens.device
    k = torch.randint(1, noise_steps + 1, (len(x.tokens), 1), generator=rng, device=device)
    return k / noise_steps


def every_time(
    *,
    noise_steps: int = 1000,  # number of times, T; in [1, inf)
) -> Tensor:
    """All times, (T,), each with probability 1 / T."""
    return torch.arange(1, noise_steps + 1) / noise_steps


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
