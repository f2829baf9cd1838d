"""A random source turns into the sequence by edits, one for each aligned position.

In each span of free positions the source has a random number of random tokens; its j-th token is
aligned with the j-th token of the span. A token beyond the end of the source is inserted, one of
the source beyond the end of the span is deleted, another one substituted.

Paper: arXiv:2506.09018 (Edit Flows)
Also known as: editflows, edit_flows, align_bridge, alignment, edit
    longest: max_source_length, source_length, noise_length, scale_size
Differs:
    alignment: the tokens of a random source have no relation to the sequence, and are aligned by
        their place; `prompt_edits` has an optimal alignment
"""

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ..ops import compact, open_gaps, random_tokens
from ..types import Examples, GapState, Schedule, Vocab

ELBO_WEIGHTS = {
    "gap_counts": "edit_rate",
    "gap_tokens": "edit_rate",
    "deletions": "edit_rate",
    "substitutions": "edit_rate",
    "substitutes": "edit_rate",
}
UNMARKED = True


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
