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


class Remembered(NamedTuple):
    """A State, and the probability of each token when it was unmasked."""

    tokens: Tensor  # (B, L) long
    valid: Tensor  # (B, L) bool
    fixed: Tensor  # (B, L) bool
    confidence: Tensor  # (B, L); no meaning at other positions


class Replaced(NamedTuple):
    """The state of a sampler of uniform noise: any free token may be wrong."""

    tokens: Tensor  # (B, L) long
    valid: Tensor  # (B, L) bool
    fixed: Tensor  # (B, L) bool


class Mixed(NamedTuple):
    """The state of a sampler of mixed noise: any free token may be a mask, or wrong."""

    tokens: Tensor  # (B, L) long
    valid: Tensor  # (B, L) bool
    fixed: Tensor  # (B, L) bool


class Prefix(NamedTuple):
    """The state of a left-to-right sampler: a row is valid up to its last token."""

    tokens: Tensor  # (B, L) long
    valid: Tensor  # (B, L) bool
    fixed: Tensor  # (B, L) bool


class GapState(NamedTuple):
    """The state of an insertion sampler: the tokens of a row are at its front."""

    tokens: Tensor  # (B, L) long
    valid: Tensor  # (B, L) bool
    fixed: Tensor  # (B, L) bool
    open: Tensor  # (B, L) bool, tokens may be inserted right after this one


class Interval(NamedTuple):
    """A step of the reverse process, from t down to s."""

    t: Tensor  # (B, 1)
    s: Tensor  # (B, 1)


class Round(NamedTuple):
    """One of several rounds over all free positions."""

    left: int  # rounds that come after it
    of: int  # rounds in all


class Portion(NamedTuple):
    """A decoding step: how many masks it unmasks."""

    number: Tensor  # (B,) masks of each row
    later: float  # share of the steps that come after it


class Window(NamedTuple):
    """A block: the free positions first <= index < last of each row."""

    first: int
    last: int


class TokenPositions(NamedTuple):
    """The target token at each of N positions."""

    row: Tensor  # (N,) long
    col: Tensor  # (N,) long
    token: Tensor  # (N,) long


class GapTokens(NamedTuple):
    """N missing tokens, each right after position (row, col)."""

    row: Tensor  # (N,) long
    col: Tensor  # (N,) long
    token: Tensor  # (N,) long
    open: Tensor  # (B, L) bool, the gaps in which tokens may be missing
    number: Tensor  # (N,), how many missing tokens each of them stands for


class GapCounts(NamedTuple):
    """The number of missing tokens in each open gap, in units of `share`."""

    count: Tensor  # (B, L) float
    open: Tensor  # (B, L) bool, the gaps in which tokens may be missing
    share: Tensor  # (B, 1), the probability that a token is missing


class GapShares(NamedTuple):
    """N missing tokens, each right after position (row, col), with its share of the gap."""

    row: Tensor  # (N,) long
    col: Tensor  # (N,) long
    token: Tensor  # (N,) long
    share: Tensor  # (N,), of one gap they add up to one
    empty: Tensor  # (B, L) bool, the open gaps in which nothing is missing


class GapNumbers(NamedTuple):
    """The number of missing tokens in the gap after each of N positions."""

    row: Tensor  # (N,) long
    col: Tensor  # (N,) long
    number: Tensor  # (N,) long


class WrongTokens(NamedTuple):
    """Whether the token at each of N positions is wrong."""

    row: Tensor  # (N,) long
    col: Tensor  # (N,) long
    wrong: Tensor  # (N,) bool


class Deletions(NamedTuple):
    """The tokens that are to be deleted."""

    number: Tensor  # (B, L) float, 1 / share or 0
    free: Tensor  # (B, L) bool, the tokens that may be
    share: Tensor  # (B, 1), the probability that a position is not edited yet


class Substitutions(NamedTuple):
    """The tokens that are to be substituted."""

    number: Tensor  # (B, L) float, 1 / share or 0
    free: Tensor  # (B, L) bool, the tokens that may be
    share: Tensor  # (B, 1), the probability that a position is not edited yet


class Complete(NamedTuple):
    """Whether each sequence is complete."""

    complete: Tensor  # (B,) bool


class Schedule(Protocol):
    """alpha(t), the probability that a token is not corrupted at time t."""

    def alpha(self, t: Tensor) -> Tensor: ...  # decreasing from alpha(0) = 1, any shape
    def dalpha(self, t: Tensor) -> Tensor: ...  # its derivative, <= 0
    def inverse(self, alpha: Tensor) -> Tensor: ...  # the t at which alpha(t) = alpha


class MixedSchedule(Schedule, Protocol):
    """A schedule of masks and random tokens."""

    def random_share(self, t: Tensor) -> Tensor: ...  # of the corrupted tokens, in [0, 1]
    def drandom_share(self, t: Tensor) -> Tensor: ...  # its derivative


class Kernel(NamedTuple):
    """The noise from s to t at N positions: P(x_t = y | x_s) = keep [y = x_s] + enter(y)."""

    keep: Tensor  # (N, 1)
    enter: Tensor  # (N, V)


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


class Remask(Protocol):
    """A rule for the probability sigma <= most that an unmasked token is masked again."""

    # (B, 1), (B, L) of each unmasked token, (B, L) bool -> (B, L)
    def __call__(self, most: Tensor, confidence: Tensor, unmasked: Tensor) -> Tensor: ...


class Stop(Protocol):
    """A rule that decides which sequences are complete, from the logits of p(complete)."""

    def __call__(self, logit: Tensor, rng: Generator) -> Tensor: ...  # (B,) -> (B,) bool
