"""What passes between the parts of a method.

Shapes: B batch, L room (length of the buffer), V vocabulary, D width, N chosen sites.
Time: t = 0 data, t = 1 noise.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from torch import Generator, Tensor


@dataclass(frozen=True)
class Vocab:
    """Ids that the task's tokenizer decides; -1 where the method needs no such token."""

    size: int
    pad: int = -1
    bos: int = -1
    eos: int = -1
    mask: int = -1

    @property
    def special(self) -> tuple[int, ...]:
        """Ids that are never predicted (the end of a sequence is)."""
        return tuple(i for i in (self.pad, self.bos, self.mask) if i >= 0)


class Examples(NamedTuple):
    """Clean sequences. Site 0 is BOS, and fixed; the free sites are exactly `valid & ~fixed`."""

    tokens: Tensor  # (B, L) long
    valid: Tensor  # (B, L) bool, False on padding
    fixed: Tensor  # (B, L) bool, given tokens: never corrupted, never a target, never altered
    gaps: Tensor | None = None  # (B, L) bool, text may be inserted right after this token
    segments: Tensor | None = None  # (B, L) long, packed documents
    index: Tensor | None = None  # (B,) long, place in the global batch of this optimiser step
    total: int | None = None  # size of that global batch


class GapState(NamedTuple):
    """What a sampler holds that inserts: the tokens of a row stand together at its front."""

    tokens: Tensor  # (B, L) long
    valid: Tensor  # (B, L) bool
    fixed: Tensor  # (B, L) bool
    open: Tensor  # (B, L) bool, something may be inserted right behind this token


class GapTokens(NamedTuple):
    """N missing tokens, each behind the site (row, col)."""

    row: Tensor  # (N,) long
    col: Tensor  # (N,) long
    token: Tensor  # (N,) long
    open: Tensor  # (B, L) bool, the gaps in which something may be missing


class Complete(NamedTuple):
    """Is nothing missing?"""

    complete: Tensor  # (B,) bool


class Draw(Protocol):
    """A rule that draws a token at each of N sites."""

    def __call__(self, logits: Tensor, rng: Generator) -> Tensor: ...  # (N, V) -> (N,)


class Stop(Protocol):
    """A rule that says which texts are complete, from the log-odds that they are."""

    def __call__(self, logit: Tensor, rng: Generator) -> Tensor: ...  # (B,) -> (B,) bool
