"""A copy of the prompt turns into the answer by edits, as few as possible.

The source of an answer is its prompt: the ordinary tokens before the first free position. They
stay where they are; the edits change a copy, which stands where the answer does. The two are
aligned with blanks so that as few positions as possible differ (Needleman and Wunsch, at unit
cost). A token aligned with a blank is inserted or deleted, one aligned with another one is
substituted.

Paper: arXiv:2506.09018 (Edit Flows, a coupling of given pairs)
Also known as: given_source, source_given, paired_edits, needleman_wunsch, text_editing
Differs:
    paired_edits: the authors' model sees only x_t; here the prompt stays visible beside it
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from ..ops import compact, open_gaps
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


def corrupt(x: Examples, t: Tensor, schedule: Schedule, vocab: Vocab, rng: Generator) -> Noised:
    """x_t: at each aligned position x_0 with probability alpha(t), the source otherwise."""
    return noised(x, 1 - schedule.alpha(t), vocab, rng)


def prior(x: Examples, vocab: Vocab, rng: Generator) -> GapState:
    """The fixed tokens and the copy of the prompt; of this as much as fits into L positions."""
    unanswered = x._replace(valid=x.valid & x.fixed, gaps=open_gaps(x))
    z = noised(unanswered, torch.ones(len(x.tokens), 1, device=x.tokens.device), vocab, rng)
    room = x.tokens.shape[1] - (z.valid & ~z.wrong).sum(1, keepdim=True)
    keep = z.valid & ~(z.wrong & (z.wrong.cumsum(1) > room))
    state = compact(keep, z.tokens, z.valid & ~z.free, z.open)
    valid, tokens, fixed, open = (a[:, : x.tokens.shape[1]] for a in state)
    return GapState(tokens, valid, fixed & valid, open & valid)


def noised(x: Examples, p: Tensor, vocab: Vocab, rng: Generator) -> Noised:
    """x_t with the source at an aligned position w.p. p (B, 1).

    Every position of x_0 has a column; so has every source token that is to be deleted, behind
    the column of the last token of x_0 that is aligned before it.
    """
    free = x.valid & ~x.fixed
    begin = (free.cumsum(1) == 0).logical_and(x.valid).sum(1, keepdim=True)  # of the answer
    position = torch.arange(free.shape[1], device=free.device)
    special = torch.tensor(vocab.special, device=free.device)
    given = x.valid & x.fixed & (position < begin) & ~torch.isin(x.tokens, special)
    in_source, source = front(given, [x.tokens])  # (B, S)
    in_answer, answer, place = front(free, [x.tokens, position.expand_as(x.tokens)])
    aligned, before = align(source, in_source.sum(1), answer, in_answer.sum(1))

    place = torch.cat([begin - 1, place], 1)
    last = place.gather(1, before)  # the column that a deleted token is behind
    column = torch.where(aligned < 0, free.shape[1], place.gather(1, aligned + 1))
    nothing = torch.full_like(x.tokens[:, :1], -1).expand(-1, free.shape[1] + 1)
    old = nothing.scatter(1, column, source)[:, :-1]  # source token of a column; -1: blank

    u = torch.rand((2, *free.shape), generator=rng, device=free.device)
    corrupted = free & (u[0] < p)
    dropped, replaced = corrupted & (old < 0), corrupted & (old >= 0)
    extra = in_source & (aligned < 0) & (u[1] < p)[:, : source.shape[1]]
    keep = x.valid & ~dropped
    behind = torch.zeros_like(x.tokens).scatter_add(1, last, extra.long())
    count = keep.long().cumsum(1)
    gap = count - 1 + behind.cumsum(1) - behind  # where a column stands in x_t
    there = count.gather(1, last) + extra.long().cumsum(1) - 1  # where a deleted token does
    width = max(free.shape[1], int((keep.sum(1) + extra.sum(1)).max()))
    index = torch.where(torch.cat([keep, extra], 1), torch.cat([gap, there], 1), width)

    def moved(of_columns: Tensor, of_deleted: Tensor) -> Tensor:
        """Both at their positions in x_t, (B, W)."""
        values = torch.cat([of_columns, of_deleted], 1)
        return values.new_zeros(len(values), width + 1).scatter(1, index, values)[:, :width]

    none, no = torch.zeros_like(free), torch.zeros_like(extra)
    tokens = torch.where(replaced, old, x.tokens)
    return Noised(
        moved(tokens, source),
        moved(keep, extra),
        moved(open_gaps(x) & keep, extra),
        moved(free & keep, extra),
        moved(none, extra),
        moved(replaced & (old != x.tokens), no),
        moved(x.tokens, source),
        dropped,
        gap,
        p,
    )


def front(keep: Tensor, arrays: list[Tensor]) -> list[Tensor]:
    """The kept positions at the front of each row, up to the length of the longest."""
    width = int(keep.sum(1).max())
    return [a[:, :width] for a in compact(keep, *arrays)]


def align(
    source: Tensor, source_length: Tensor, answer: Tensor, answer_length: Tensor
) -> tuple[Tensor, Tensor]:
    """A minimal alignment: of each source token the answer token that it is aligned with.

    Returns (aligned, before), each (B, S): the index of that token, or -1 for a blank, and the
    number of answer tokens aligned before it. With D(i, j) the least number of edits from i source
    tokens to j answer tokens, M(j) = min(D(i - 1, j) + 1, D(i - 1, j - 1) + [they differ]) is the
    least of a path that leaves row i - 1 at j, and D(i, j) = min over k <= j of M(k) + j - k. The
    path back needs only the best k of each (i, j).
    """
    index = torch.arange(answer.shape[1] + 1, device=answer.device)
    differ = F.pad((source[..., None] != answer[:, None]).long(), (1, 0), value=2)  # (B, S, J)
    best = index.expand(len(answer), -1)  # D(0, j), (B, J)
    entered, diagonal = [], []
    for cost in differ.unbind(1):
        across, down = torch.cat([best[:, :1], best[:, :-1]], 1) + cost, best + 1
        least, k = (torch.minimum(across, down) - index).cummin(1)
        diagonal.append(across <= down)
        entered.append(k)
        best = least + index
    aligned, before = torch.full_like(source, -1), torch.zeros_like(source)
    j = answer_length[:, None]
    for i in reversed(range(source.shape[1])):
        inside = i < source_length[:, None]
        j = torch.where(inside, entered[i].gather(1, j), j)
        taken = diagonal[i].gather(1, j) & inside
        before[:, i : i + 1] = j
        j = j - taken.long()
        aligned[:, i : i + 1] = torch.where(taken, j, -1)
    return aligned, before


def edit_rate(t: Tensor, schedule: Schedule) -> Tensor:
    """-alpha'(t) / (1 - alpha(t)), (B, 1): the rate at which a position is edited."""
    return -schedule.dalpha(t) / (1 - schedule.alpha(t)).clamp(min=torch.finfo(t.dtype).eps)
