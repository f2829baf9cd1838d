"""Each token is dropped at a time of its own; backwards, tokens are inserted at a known rate.

Paper: arXiv:2506.09018 (Edit Flows, from the empty source); arXiv:2606.10199 (DILM, independent);
    arXiv:2603.23507 (DID)
Also known as: empty_source, timed_drop, independent_mode, insertion_process
"""

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ..ops import compact, open_gaps
from ..types import Examples, GapState, Schedule

ELBO_WEIGHTS = {
    "gap_counts": "insertion_rate",
    "gap_tokens": "insertion_rate",
    "expected_gap_counts": "insertion_rate",
    "expected_gap_tokens": "insertion_rate",
    "missing_count": "insertion_rate",
}


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
