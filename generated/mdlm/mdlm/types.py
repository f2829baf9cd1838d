"""Types of the values that components exchange.

Shapes: B batch, L maximum length, V vocabulary, D width, N selected positions.
Time: t = 0 data, t = 1 noise.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from torch import Generator, Tensor


@dataclass(frozen=True)
class Vocab:
    """Token ids, defined by the task's tokenizer; -1 for tokens that the method does not use."""

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
    """Clean sequences. Position 0 is BOS and fixed; free positions are `valid & ~fixed`."""

    tokens: Tensor  # (B, L) long
    valid: Tensor  # (B, L) bool, False on padding
    fixed: Tensor  # (B, L) bool, never corrupted, never a target, never changed by a sampler
    gaps: Tensor | None = None  # (B, L) bool, tokens may be inserted right after this one
    segments: Tensor | None = None  # (B, L) long, packed documents
    index: Tensor | None = None  # (B,) long, index in the global batch of this optimiser step
    total: int | None = None  # size of that global batch
    step: int | None = None  # of training; None elsewhere


class State(NamedTuple):
    """The state of a sampler of fixed-length sequences."""

    tokens: Tensor  # (B, L) long
    valid: Tensor  # (B, L) bool
    fixed: Tensor  # (B, L) bool


class Interval(NamedTuple):
    """A step of the reverse process, from t down to s."""

    t: Tensor  # (B, 1)
    s: Tensor  # (B, 1)


class TokenPositions(NamedTuple):
    """The target token at each of N positions."""

    row: Tensor  # (N,) long
    col: Tensor  # (N,) long
    token: Tensor  # (N,) long


class Schedule(Protocol):
    """alpha(t), the probability that a token is not corrupted at time t."""

    def alpha(self, t: Tensor) -> Tensor: ...  # decreasing from alpha(0) = 1, any shape
    def dalpha(self, t: Tensor) -> Tensor: ...  # its derivative, <= 0
    def inverse(self, alpha: Tensor) -> Tensor: ...  # the t at which alpha(t) = alpha


class Draw(Protocol):
    """A rule that draws a token at each of N positions."""

    def __call__(self, logits: Tensor, rng: Generator) -> Tensor: ...  # (N, V) -> (N,)


class Score(Protocol):
    """A rule that scores N positions; the highest scores are unmasked first.

    It gets their hidden states (N, D) and the head, for logits (N, V): not every rule needs them.
    """

    def __call__(
        self, head: Callable, hidden: Tensor, position: Tensor, rng: Generator
    ) -> Tensor: ...  # (N,)
