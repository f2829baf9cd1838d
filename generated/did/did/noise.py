"""The noise of did: schedule linear, time stratified, process independent_drop."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from .ops import compact, open_gaps
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
    dropped_p: Tensor  # (B, 1) P(a token is dropped at t)


def corrupt(x: Examples, t: Tensor, schedule: Schedule, rng: Generator) -> Noised:
    """x_t: each free token is dropped with probability 1 - alpha(t) (arXiv:2506.09018)."""
    u = torch.rand(x.tokens.shape, generator=rng, device=t.device)
    dropped = (u >= schedule.alpha(t)) & x.valid & ~x.fixed
    return noised(x, dropped, 1 - schedule.alpha(t))


def noised(x: Examples, dropped: Tensor, dropped_p: Tensor) -> Noised:
    """x_t without these tokens of x_0."""
    keep = x.valid & ~dropped
    valid, tokens, open = compact(keep, x.tokens, open_gaps(x))
    return Noised(tokens, valid, open & valid, dropped, keep.long().cumsum(1) - 1, dropped_p)


def likelihood(z: Noised, x: Examples, t: Tensor, schedule: Schedule) -> Tensor:
    """P(x_t | x_0, t), (B,): each free token is dropped independently."""
    pairs = zip(z[:-1], noised(x, z.dropped, z.dropped_p)[:-1], strict=True)
    same = torch.stack([(a == b).all(1) for a, b in pairs]).all(0)
    each = torch.where(z.dropped, 1 - schedule.alpha(t), schedule.alpha(t))
    return same * torch.where(x.valid & ~x.fixed, each, 1.0).prod(1)


def prior(x: Examples) -> GapState:
    """The fixed tokens alone; tokens may be inserted in the open gaps of x."""
    valid, tokens, open = compact(x.valid & x.fixed, x.tokens, open_gaps(x))
    return GapState(tokens, valid, valid.clone(), open & valid)


def insertion_rate(t: Tensor, schedule: Schedule) -> Tensor:
    """-alpha'(t) / (1 - alpha(t)), (B, 1): the rate at which a missing token is inserted."""
    return -schedule.dalpha(t) / (1 - schedule.alpha(t)).clamp(min=torch.finfo(t.dtype).eps)
