"""The noise of dilm: schedule linear, time stratified, process poisson_drop."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from .ops import compact, number_of_sets, open_gaps, poisson_mean, random_subset, slowing
from .types import Examples, GapState, Schedule


@dataclass(frozen=True)
class LinearSchedule:
    """alpha(t) = 1 - (1 - eps) t, the log-linear schedule of MDLM (arXiv:2406.07524)."""

    eps: float = 0.0  # share of tokens left uncorrupted at t = 1; no bound above 0; in [0, 1)

    def alpha(self, t: Tensor) -> Tensor:
        return 1 - (1 - self.eps) * t

    def dalpha(self, t: Tensor) -> Tensor:
        return torch.full_like(t, self.eps - 1)

    def inverse(self, alpha: Tensor) -> Tensor:
        return ((1 - alpha) / (1 - self.eps)).clamp(max=1)


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
