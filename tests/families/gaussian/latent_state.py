"""Types of a sequence of vectors."""

from typing import NamedTuple

from torch import Tensor


class LatentState(NamedTuple):
    """The state of a sampler of vectors."""

    tokens: Tensor  # (B, L) long, the nearest tokens; masks before the first step
    valid: Tensor  # (B, L) bool
    fixed: Tensor  # (B, L) bool
    latent: Tensor  # (B, L, E), E is the number `latent`
