"""The noise of editflows_noise: schedule linear, time stratified, process edits."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from .ops import compact, open_gaps, random_tokens
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
    """x_t, with W >= L positions; W is the length of its longest row, or L."""

    tokens: Tensor  # (B, W)
    valid: Tensor  # (B, W)
    open: Tensor  # (B, W) bool, a token may be inserted right after this one
    free: Tensor  # (B, W) bool, may be deleted or substituted
    wrong: Tensor  # (B, W) bool, is to be deleted
    other: Tensor  # (B, W) bool, is to be substituted
    substitute: Tensor  # (B, W) long, by this token
    dropped: Tensor  # (B, L) bool, per position of x_0: is to be inserted
    gap: Tensor  # (B, L) long, per position of x_0: the position of x_t after which it is missing
    dropped_p: Tensor  # (B, 1) P(a position is not edited yet)


def corrupt(
    x: Examples,
    t: Tensor,
    schedule: Schedule,
    vocab: Vocab,
    rng: Generator,
    *,
    longest: int = 4,  # longest source of a span, U{0, ..., longest}; in [0, inf)
) -> Noised:
    """x_t: at each aligned position x_0 with probability alpha(t), the source otherwise."""
    return noised(x, 1 - schedule.alpha(t), vocab, longest, rng)


def prior(
    x: Examples,
    vocab: Vocab,
    rng: Generator,
    *,
    longest: int = 4,  # longest source of a span, U{0, ..., longest}; in [0, inf)
) -> GapState:
    """The fixed tokens and the source: x_t if no position is edited yet.

    Of the source as much as fits into the L positions of a row.
    """
    z = noised(x, x.tokens.new_ones(len(x.tokens), 1).float(), vocab, longest, rng)
    room = x.tokens.shape[1] - (z.valid & ~z.wrong).sum(1, keepdim=True)
    keep = z.valid & ~(z.wrong & (z.wrong.cumsum(1) > room))
    state = compact(keep, z.tokens, z.valid & ~z.free, z.open)
    valid, tokens, fixed, open = (a[:, : x.tokens.shape[1]] for a in state)
    return GapState(tokens, valid, fixed & valid, open & valid)


def noised(x: Examples, p: Tensor, vocab: Vocab, longest: int, rng: Generator) -> Noised:
    """x_t with the source at an aligned position w.p. p (B, 1).

    From S = 1 + longest places for each position of x_0: itself, and those of the source after it.
    """
    free, gaps = x.valid & ~x.fixed, open_gaps(x)
    begins = gaps & x.fixed  # the span after it
    ends = (begins | free) & ~torch.cat([free[:, 1:], torch.zeros_like(free[:, :1])], 1)
    u = torch.rand((*free.shape, 2 + longest), generator=rng, device=free.device)
    corrupted, u = free & (u[..., 0] < p), u[..., 1:]
    place, position = (torch.arange(n, device=free.device) for n in (1 + longest, free.shape[1]))
    before = torch.where(begins, position, 0).cummax(1).values  # the position before the span
    length = (u[..., 0] * (longest + 1)).long().gather(1, before)  # of its source, uniform
    rest = (length - (position - before))[..., None]  # tokens of the source after this position

    extra = ends[..., None] & (place > 0) & (place <= rest) & (u < p[..., None])
    dropped = corrupted & (rest[..., 0] < 0)
    keep = torch.where(place == 0, (x.valid & ~dropped)[..., None], extra)
    clean = x.tokens[..., None].expand(u.shape)
    source = random_tokens(x._replace(tokens=clean), vocab, rng)
    tokens = torch.where((place > 0) | corrupted[..., None], source, clean)
    is_open, is_free = ((place > 0) | a[..., None] for a in (gaps, free))
    other = (place == 0) & (tokens != clean)

    arrays = keep, tokens, clean, is_open, is_free, extra, other
    width = max(free.shape[1], int(keep.flatten(1).sum(1).max()))
    valid, tokens, clean, *flags = (a[:, :width] for a in compact(*(a.flatten(1) for a in arrays)))
    gap = keep.flatten(1).long().cumsum(1)[:, :: 1 + longest] - 1
    opened, freed, extra, other = (a & valid for a in flags)
    return Noised(tokens, valid, opened, freed, extra, other, clean, dropped, gap, p)


def edit_rate(t: Tensor, schedule: Schedule) -> Tensor:
    """-alpha'(t) / (1 - alpha(t)), (B, 1): the rate at which a position is edited."""
    return -schedule.dalpha(t) / (1 - schedule.alpha(t)).clamp(min=torch.finfo(t.dtype).eps)
