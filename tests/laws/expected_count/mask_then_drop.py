"""A token is first masked; then its mask is dropped.

Paper: arXiv:2509.01025 (FlexMDM)
"""

from typing import NamedTuple

import torch
from torch import Tensor

from ..ops import compact, open_gaps
from ..types import Examples, GapState, Schedule, Vocab

ELBO_WEIGHTS = {"masked_tokens": "elbo_weight", "gap_counts": "insertion_rate"}


class Noised(NamedTuple):
    tokens: Tensor  # (B, L) the remaining tokens and masks, at the front
    valid: Tensor  # (B, L)
    open: Tensor  # (B, L) bool, a token may be missing right after this one
    clean: Tensor  # (B, L) the token of x_0 at this position
    masked: Tensor  # (B, L) bool
    dropped: Tensor  # (B, L) bool, per position of x_0
    gap: Tensor  # (B, L) long, per position of x_0: the position of x_t after which it is missing


def corrupt(x: Examples, corrupted: Tensor, vocab: Vocab) -> Noised:
    """`corrupted` is 1 where a token is masked, 2 where it is dropped."""
    dropped, masked = corrupted == 2, corrupted == 1
    keep = x.valid & ~dropped
    noisy = x.tokens.masked_fill(masked, vocab.mask)
    valid, tokens, clean, masked, open = compact(keep, noisy, x.tokens, masked, open_gaps(x))
    gap = keep.long().cumsum(1) - 1
    return Noised(tokens, valid, open & valid, clean, masked & valid, dropped, gap)


def likelihood(
    z: Noised, x: Examples, t: Tensor, schedule: Schedule, drop_schedule: Schedule, vocab: Vocab
) -> Tensor:
    """P(x_t | x_0), (B,): at each free position the token, its mask, or nothing.

    A token is masked at time t w.p. (1 - alpha(t)) E[1 / (1 - alpha(r)); r > t], r the time at
    which its mask is dropped. The mean is an integral over r, by the trapezoidal rule.
    """
    free = x.valid & ~x.fixed
    dropped = 1 - drop_schedule.alpha(t)
    r = t + (1 - t) * torch.linspace(0, 1, 201, dtype=t.dtype, device=t.device)  # (B, 201)
    rate = -drop_schedule.dalpha(r) / (1 - schedule.alpha(r)).clamp(min=1e-12)
    masked = (1 - schedule.alpha(t)) * torch.trapezoid(rate, r, dim=1)[:, None]
    place = z.gap.clamp(min=0)  # of each kept position of x_0
    seen, now = z.masked.gather(1, place), z.tokens.gather(1, place)
    kept = torch.where(seen, masked, 1 - dropped - masked)
    each = torch.where(z.dropped, dropped, kept)
    right = z.dropped | (now == x.tokens.masked_fill(seen, vocab.mask)) | ~x.valid
    return torch.where(free, each, 1.0).prod(1) * right.all(1)


def prior(x: Examples) -> GapState:
    """The fixed tokens alone."""
    valid, tokens, open = compact(x.valid & x.fixed, x.tokens, open_gaps(x))
    return GapState(tokens, valid, valid.clone(), open & valid)
