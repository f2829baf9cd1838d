"""The noise of flexmdm: schedule linear, time stratified, process drop_then_mask."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from .ops import compact, open_gaps
from .types import Examples, GapState, Schedule, Vocab


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
    tokens: Tensor  # (B, L) the remaining tokens and masks, at the front
    valid: Tensor  # (B, L)
    open: Tensor  # (B, L) bool, a token may be missing right after this one
    clean: Tensor  # (B, L) the token of x_0 at this position of x_t
    masked: Tensor  # (B, L) bool
    dropped: Tensor  # (B, L) bool, per position of x_0
    gap: Tensor  # (B, L) long, per position of x_0: the position of x_t after which it is missing
    dropped_p: Tensor  # (B, 1) P(a token is dropped at t)


def corrupt(
    x: Examples,
    t: Tensor,
    schedule: Schedule,
    drop_schedule: Schedule,
    vocab: Vocab,
    rng: Generator,
) -> Noised:
    """x_t: dropped if its drop time r < t, else masked w.p. (1 - alpha(t)) / (1 - alpha(r)).

    P(r >= t) = alpha_drop(t). The time of the mask is that of `schedule`, given that it is before
    r (FlexMDM, arXiv:2509.01025, with 1 - t for its time).
    """
    u, v = (torch.rand(x.tokens.shape, generator=rng, device=t.device) for _ in range(2))
    r = drop_schedule.inverse(u)
    free = x.valid & ~x.fixed
    dropped = free & (r < t)
    masked = free & ~dropped & (v * (1 - schedule.alpha(r)) < 1 - schedule.alpha(t))
    return noised(x, masked, dropped, 1 - drop_schedule.alpha(t), vocab)


def noised(x: Examples, masked: Tensor, dropped: Tensor, dropped_p: Tensor, vocab: Vocab) -> Noised:
    """x_t with these tokens of x_0 masked and dropped."""
    keep = x.valid & ~dropped
    tokens = x.tokens.masked_fill(masked, vocab.mask)
    valid, tokens, clean, masked, open = compact(keep, tokens, x.tokens, masked, open_gaps(x))
    gap = keep.long().cumsum(1) - 1
    return Noised(tokens, valid, open & valid, clean, masked & valid, dropped, gap, dropped_p)


def likelihood(
    z: Noised, x: Examples, t: Tensor, schedule: Schedule, drop_schedule: Schedule, vocab: Vocab
) -> Tensor:
    """P(x_t | x_0, t), (B,): each free token is kept, masked or dropped independently."""
    masked = z.masked.gather(1, z.gap.clamp(min=0)) & ~z.dropped & x.valid  # per position of x_0
    pairs = zip(z[:-1], noised(x, masked, z.dropped, z.dropped_p, vocab)[:-1], strict=True)
    same = torch.stack([(a == b).all(1) for a, b in pairs]).all(0)
    times, row = t.unique(return_inverse=True)
    p = masked_p(times[:, None], schedule, drop_schedule)[row[:, 0]]
    present = drop_schedule.alpha(t)
    each = torch.where(z.dropped, 1 - present, torch.where(masked, p, present - p))
    return same * torch.where(x.valid & ~x.fixed, each, 1.0).prod(1)


def masked_p(t: Tensor, schedule: Schedule, drop_schedule: Schedule) -> Tensor:
    """P(masked at t), (B, 1): the integral over drop times r > t of

    -alpha_drop'(r) (1 - alpha(t)) / (1 - alpha(r)) dr, by the midpoint rule in log r.
    """
    first = t.clamp(min=1e-9)
    u = (torch.arange(500, device=t.device) + 0.5) / 500
    r = first**u  # (B, 500), dr = r log(first) du
    tiny = torch.finfo(t.dtype).tiny
    share = (1 - schedule.alpha(t)) / (1 - schedule.alpha(r)).clamp(min=tiny)
    rate = -drop_schedule.dalpha(r) * r * share
    return -first.log() * rate.mean(1, keepdim=True)


def prior(x: Examples) -> GapState:
    """The fixed tokens alone; masks may be inserted in the open gaps of x."""
    valid, tokens, open = compact(x.valid & x.fixed, x.tokens, open_gaps(x))
    return GapState(tokens, valid, valid.clone(), open & valid)


def unmasking_rate(t: Tensor, schedule: Schedule) -> Tensor:
    """-alpha'(t) / (1 - alpha(t)), (B, 1): the rate at which a mask becomes a token."""
    return -schedule.dalpha(t) / (1 - schedule.alpha(t)).clamp(min=torch.finfo(t.dtype).eps)


def insertion_rate(t: Tensor, drop_schedule: Schedule) -> Tensor:
    """-alpha_drop'(t) / (1 - alpha_drop(t)), (B, 1): the rate at which a mask is inserted."""
    share = (1 - drop_schedule.alpha(t)).clamp(min=torch.finfo(t.dtype).eps)
    return -drop_schedule.dalpha(t) / share
