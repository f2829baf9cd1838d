"""Types of a sequence whose length is predicted."""

from typing import NamedTuple

from torch import Tensor


class Sized(NamedTuple):
    """The state of a sampler that first predicts the number of free tokens."""

    tokens: Tensor  # (B, L) long
    valid: Tensor  # (B, L) bool; before the first step: the positions that may be used
    fixed: Tensor  # (B, L) bool
    confidence: Tensor  # (B, L), p of each token when it was predicted; 0 before
