"""A random source turns into the sequence by edits, one for each aligned position.

In each span of free positions, the source has a random number of random tokens; its j-th token is
aligned with the j-th token of the span. A token beyond the end of the source is inserted, a token
of the source beyond the end of the span is deleted.

Paper: arXiv:2506.09018 (Edit Flows)
"""

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ..ops import compact, open_gaps
from ..types import Examples, GapState, Schedule, Vocab

ELBO_WEIGHTS = {"edits": "elbo_weight"}


class Noised(NamedTuple):
    """x_t, with W positions; W is the length of its longest row."""

    tokens: Tensor  # (B, W)
    valid: Tensor  # (B, W)
    open: Tensor  # (B, W) bool, a token may be inserted right after this one
    free: Tensor  # (B, W) bool, may be deleted or substituted
    wrong: Tensor  # (B, W) bool, is to be deleted
    other: Tensor  # (B, W) bool, is to be substituted
    clean: Tensor  # (B, W) long, by this token
    dropped: Tensor  # (B, L) bool, per position of x_0: is to be inserted
    gap: Tensor  # (B, L) long, per position of x_0: the position of x_t after which it is missing


class Source(NamedTuple):
    """The source, aligned with the positions of x_0."""

    tokens: Tensor  # (B, L, 1 + longest) at each position, and in the places after it
    begins: Tensor  # (B, L) bool, a span begins right after this fixed position
    length: Tensor  # (B, L) long, of the source of the span of this position
    index: Tensor  # (B, L) long, of this position in its span, from 1; 0: the position before it


def random_source(x: Examples, vocab: Vocab, longest: int, rng: Generator) -> Source:
    """Uniform tokens, and a length U{0, ..., longest} for each span."""
    device, shape = x.tokens.device, x.tokens.shape
    words = torch.ones(vocab.size, dtype=torch.bool, device=device)
    words[list(vocab.special)] = False
    known = words.nonzero()[:, 0]
    u = torch.rand((*shape, 2 + longest), generator=rng, device=device)
    begins = open_gaps(x) & x.fixed
    position = torch.arange(shape[1], device=device)
    first = torch.where(begins, position, 0).cummax(1).values
    length = (u[..., 0] * (longest + 1)).long().gather(1, first)
    tokens = known[(u[..., 1:] * len(known)).long()]
    return Source(tokens, begins, length, position - first)


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
    source = random_source(x, vocab, longest, rng)
    free = x.valid & ~x.fixed
    dropped = corrupted & (source.index > source.length)
    swapped = corrupted & ~dropped & (source.tokens[..., 0] != x.tokens)
    follows = torch.cat([free[:, 1:], torch.zeros_like(free[:, :1])], 1)
    ends = (source.begins | free) & ~follows  # the last position of each span
    place = torch.arange(longest, device=t.device)
    extra = ends[..., None] & (place < (source.length - source.index)[..., None])
    u = torch.rand(extra.shape, generator=rng, device=t.device)
    extra = extra & (u >= schedule.alpha(t)[..., None])  # not deleted yet
    tokens = source.tokens.clone()
    tokens[..., 0] = torch.where(swapped, source.tokens[..., 0], x.tokens)

    def aligned(here: Tensor, after: Tensor) -> Tensor:
        """(B, L) at the positions, (B, L, longest) in the places after -> (B, L (1 + longest))."""
        return torch.cat([here[..., None], after], -1).flatten(1)

    none = torch.zeros_like(extra)
    keep = aligned(x.valid & ~dropped, extra)
    gap = (keep.long().cumsum(1) - 1)[:, :: 1 + longest]
    fields = compact(
        keep,
        tokens.flatten(1),
        aligned(open_gaps(x), ~none),
        aligned(free, ~none),
        aligned(torch.zeros_like(free), ~none),
        aligned(swapped, none),
        aligned(x.tokens, tokens[..., 1:]),
    )
    width = int(keep.sum(1).max())
    valid, seen, *flags, clean = (a[:, :width] for a in fields)
    return Noised(seen, valid, *(a & valid for a in flags), clean, dropped, gap)


def prior(
    x: Examples,
    vocab: Vocab,
    rng: Generator,
    *,
    longest: int = 4,  # longest source of a span; in [0, inf)
) -> GapState:
    """The fixed tokens and the source: as long as x, or longer."""
    source = random_source(x, vocab, longest, rng)
    place = torch.arange(longest, device=x.tokens.device)
    keep = source.begins[..., None] & (place < source.length[..., None])
    keep = torch.cat([(x.valid & x.fixed)[..., None], keep], -1)
    tokens = torch.cat([x.tokens[..., None], source.tokens[..., 1:]], -1)
    open = torch.cat([open_gaps(x)[..., None], torch.ones_like(keep[..., 1:])], -1)
    fixed = torch.zeros_like(keep)
    fixed[..., 0] = x.fixed
    fields = compact(keep.flatten(1), *(a.flatten(1) for a in (tokens, fixed, open)))
    width = max(x.tokens.shape[1], int(fields[0].sum(1).max()))
    valid, tokens, fixed, open = (a[:, :width] for a in fields)
    return GapState(tokens, valid, fixed & valid, open & valid)
