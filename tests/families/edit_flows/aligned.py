"""A random source turns into the sequence by edits, one for each aligned position.

In each span of free positions, the source has a random number of random tokens; its j-th token is
aligned with the j-th token of the span. A token beyond the end of the source is inserted, a token
of the source beyond the end of the span is deleted.

Paper: arXiv:2506.09018 (Edit Flows)
"""

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ..ops import compact, open_gaps, random_tokens
from ..types import Examples, GapState, Schedule, Vocab

ELBO_WEIGHTS = {"gap_tokens": "elbo_weight"}


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


def corrupt(
    x: Examples,
    corrupted: Tensor,
    t: Tensor,
    schedule: Schedule,
    vocab: Vocab,
    rng: Generator,
    *,
    longest: int = 4,  # longest source of a span; in [0, inf)
) -> Noised:
    """x_t: of each aligned position the token of x_0, or of the source if it is corrupted."""
    return noised(x, corrupted, 1 - schedule.alpha(t), vocab, longest, rng)


def prior(
    x: Examples,
    vocab: Vocab,
    rng: Generator,
    *,
    longest: int = 4,  # longest source of a span; in [0, inf)
) -> GapState:
    """The fixed tokens and the source: x_t with all positions corrupted."""
    free = x.valid & ~x.fixed
    z = noised(x, free, torch.ones_like(free[:, :1]), vocab, longest, rng)
    return GapState(z.tokens, z.valid, z.valid & ~z.free, z.open)


def noised(
    x: Examples, corrupted: Tensor, extra_p: Tensor, vocab: Vocab, longest: int, rng: Generator
) -> Noised:
    """x_t from S = 1 + longest places for each position of x_0: itself, and those after it.

    A token of the source that is beyond the end of its span is still there w.p. extra_p (B, 1).
    """
    free, gaps = x.valid & ~x.fixed, open_gaps(x)
    begins = gaps & x.fixed  # the span after it
    ends = (begins | free) & ~torch.cat([free[:, 1:], torch.zeros_like(free[:, :1])], 1)
    u = torch.rand((*free.shape, 1 + longest), generator=rng, device=free.device)
    place, position = (torch.arange(n, device=free.device) for n in (1 + longest, free.shape[1]))
    before = torch.where(begins, position, 0).cummax(1).values  # the position before the span
    length = (u[..., 0] * (longest + 1)).long().gather(1, before)  # of its source, uniform
    rest = (length - (position - before))[..., None]  # tokens of the source after this position

    extra = ends[..., None] & (place > 0) & (place <= rest) & (u < extra_p[..., None])
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
    return Noised(tokens, valid, *(a & valid for a in flags), clean, dropped, gap)
