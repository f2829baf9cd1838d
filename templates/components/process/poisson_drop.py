"""Tokens are dropped one after another, at a rate that does not depend on how many are left.

Paper: arXiv:2606.10199 (DILM, the Poisson mode)
Also known as: poisson, poisson_mode, dilm, constant_rate
    mean_drops: sigma_max, smax, total_noise
Differs:
    poisson: the total noise is mean_drops (1 - alpha) / alpha, without a largest value: with one,
        not everything is dropped at t = 1, and the bound lacks a term
"""

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ..ops import compact, number_of_sets, open_gaps, poisson_mean, random_subset, slowing
from ..types import Examples, GapState, Schedule

ELBO_WEIGHTS = {
    "poisson_count": "insertion_rate",
    "gap_tokens": "insertion_rate",
    "expected_gap_tokens": "insertion_rate",
}


class Noised(NamedTuple):
    tokens: Tensor  # (B, L) the remaining tokens, at the front
    valid: Tensor  # (B, L)
    open: Tensor  # (B, L) bool, a token may be missing right after this one
    dropped: Tensor  # (B, L) bool, per position of x_0
    gap: Tensor  # (B, L) long, per position of x_0: the position of x_t after which it is missing


def corrupt(
    x: Examples,
    t: Tensor,
    schedule: Schedule,
    rng: Generator,
    *,
    mean_drops: float = 8.0,  # expected number of dropped tokens at alpha = 1/2; in (0, inf)
) -> Noised:
    """x_t: k = min(K, n) of the n free tokens are dropped, K ~ Poisson(sigma(t)).

    sigma(t) = mean_drops (1 - alpha) / alpha; every set of k tokens is equally likely (DILM,
    arXiv:2606.10199).
    """
    free = x.valid & ~x.fixed
    mean = poisson_mean(t, schedule, mean_drops).clamp(max=1e6)
    k = torch.poisson(mean.expand(len(free), 1), generator=rng).long()
    return noised(x, random_subset(free, k.clamp(max=free.shape[1]), rng))


def noised(x: Examples, dropped: Tensor) -> Noised:
    """x_t without these tokens of x_0."""
    keep = x.valid & ~dropped
    valid, tokens, open = compact(keep, x.tokens, open_gaps(x))
    return Noised(tokens, valid, open & valid, dropped, keep.long().cumsum(1) - 1)


def likelihood(
    z: Noised,
    x: Examples,
    t: Tensor,
    schedule: Schedule,
    *,
    mean_drops: float = 8.0,  # expected number of dropped tokens at alpha = 1/2; in (0, inf)
) -> Tensor:
    """P(x_t | x_0, t), (B,): P(min(K, n) = k) / C(n, k)."""
    pairs = zip(z, noised(x, z.dropped), strict=True)
    same = torch.stack([(a == b).all(1) for a, b in pairs]).all(0)
    n, k = (x.valid & ~x.fixed).sum(1).double(), z.dropped.sum(1).double()
    mean = poisson_mean(t, schedule, mean_drops)[:, 0].double()
    exactly = (torch.xlogy(k, mean) - mean - torch.lgamma(k + 1)).exp()
    at_least = torch.where(n > 0, torch.special.gammainc(n.clamp(min=1), mean), 1.0)
    return same * torch.where(k < n, exactly, at_least) / number_of_sets(n, k)


def prior(x: Examples) -> GapState:
    """The fixed tokens alone; tokens may be inserted in the open gaps of x."""
    valid, tokens, open = compact(x.valid & x.fixed, x.tokens, open_gaps(x))
    return GapState(tokens, valid, valid.clone(), open & valid)


def insertion_rate(
    x: Examples,
    dropped: Tensor,
    t: Tensor,
    schedule: Schedule,
    *,
    mean_drops: float = 8.0,  # expected number of dropped tokens at alpha = 1/2; in (0, inf)
) -> Tensor:
    """m' / (F m) = -alpha' / (F alpha (1 - alpha)), (B, 1), for K of the mean m.

    The rate at which a missing token is inserted; F > 1 if all are missing (`slowing`).
    """
    alpha = schedule.alpha(t)
    product = (alpha * (1 - alpha)).clamp(min=torch.finfo(t.dtype).eps)
    return -schedule.dalpha(t) / product / slowing(x, dropped, t, schedule, mean_drops)
