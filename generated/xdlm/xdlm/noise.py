"""The noise of xdlm: schedule stationary, time stratified, process mixture."""

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
    edge: float = 1e-5,  # minimum distance from t = 0 and t = 1; in (0, 0.001]
) -> Tensor:
    """One t in each of `total` equal parts of (edge, 1 - edge), (B, 1); each t alone is uniform.

    With `x.index` (in random order) and `x.total`, the parts span the global batch. Times nearer
    than `edge` to 0 or 1 are left out, which makes a bound slightly too optimistic: by a share
    of about 1e-6 with edge 1e-5, of 1e-4 with 1e-3; of ten times as much with the steepest
    schedules. With an infinite slope at an end the share is large: about the root of `edge`.
    """
    batch, device = len(x.tokens), x.tokens.device
    if x.index is None or x.total is None:
        part, total = torch.randperm(batch, generator=rng, device=device), batch
    else:
        part, total = x.index, x.total
    u = (part[:, None] + torch.rand(batch, 1, generator=rng, device=device)) / total
    return edge + (1 - 2 * edge) * u


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
