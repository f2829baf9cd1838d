"""Types of a sequence that is read in any order."""

from typing import NamedTuple

from torch import Tensor


class OrderedState(NamedTuple):
    """The state of a sampler in any order; tokens are in the order of the sequence."""

    tokens: Tensor  # (B, L) long
    valid: Tensor  # (B, L) bool, unmasked already
    fixed: Tensor  # (B, L) bool
    place: Tensor  # (B, L) long, the reading order


class Turn(NamedTuple):
    """A decoding step: how many tokens are drawn before its token."""

    read: int
