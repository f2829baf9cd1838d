"""A token is masked at a time of its own, and its mask is dropped at a later one.

Backwards, masks are inserted and then turn into tokens.

Paper: arXiv:2509.01025 (FlexMDM)
Also known as: flexmdm, flex_mdm, mask_then_drop, insert_then_unmask, any_length,
    variable_length_mask
"""

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ..ops import compact, open_gaps
from ..types import Examples, GapState, Schedule, Vocab

ELBO_WEIGHTS = {"masked_tokens": "unmasking_rate", "gap_counts": "insertion_rate"}


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
