"""The noise of gidd: schedule hybrid, time stratified, process mixture."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from .ops import mixed_tokens, random_tokens, states_p
from .types import Examples, Mixed, MixedSchedule, Vocab


@dataclass(frozen=True)
class HybridSchedule:
    """q_t(y | x) = ((1 - t) [y = x] + t [y = mask] + c(t) / K) / (1 + c(t)) (arXiv:2503.04482).

    c(t) = 2 p / (1 - p) sqrt(t (1 - t)), where p is the share of random tokens at t = 1/2.
    """

    uniform: float = 0.1  # share of random tokens at t = 1/2; in [0, 0.5]

    def c(self, t: Tensor) -> Tensor:
        return 2 * self.uniform / (1 - self.uniform) * torch.sqrt(t * (1 - t))

    def alpha(self, t: Tensor) -> Tensor:
        return (1 - t) / (1 + self.c(t))

    def dalpha(self, t: Tensor) -> Tensor:
        c = self.c(t)
        falls = 1 + c + c * (1 - 2 * t) / (2 * t.clamp(min=torch.finfo(t.dtype).tiny))
        return -falls / (1 + c) ** 2

    def inverse(self, alpha: Tensor) -> Tensor:
        """By bisection."""
        low, high = torch.zeros_like(alpha), torch.ones_like(alpha)
        for _ in range(100):
            middle = (low + high) / 2
            above = self.alpha(middle) > alpha
            low, high = torch.where(above, middle, low), torch.where(above, high, middle)
        return (low + high) / 2

    def random_share(self, t: Tensor) -> Tensor:
        """The share of corrupted tokens that are random, not masked: c / (t + c)."""
        c = self.c(t)
        return c / (t + c).clamp(min=torch.finfo(t.dtype).tiny)

    def drandom_share(self, t: Tensor) -> Tensor:
        c = self.c(t)
        tiny = torch.finfo(t.dtype).tiny
        return -c / (2 * (1 - t).clamp(min=tiny) * ((t + c) ** 2).clamp(min=tiny))


def sample_time(
    x: Examples,
    rng: Generator,
    *,
    edge: float = 1e-5,  # minimum distance from t = 0 and t = 1; in (0, 0.001]
) -> Tensor:
    """One t in each of `total` equal parts of (edge, 1 - edge), (B, 1); each t alone is uniform.

    With `x.index` (in random order) and `x.total`, the parts span the global batch. Times nearer
    than `edge` to 0 or 1 are left out, which makes a bound slightly too optimistic: by a share
    of about 1e-6 with edge 1e-5, of 1e-4 with 1e-3.
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
