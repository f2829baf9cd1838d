"""How many equal tokens a sequence has, at each position."""

from torch import Tensor

from ..types import Examples
from .pairs import Pairs


def pair_counts(x: Examples, valid: Tensor) -> Pairs:
    """The positions of x_0 with the same token, (B, L)."""
    same = (x.tokens[:, :, None] == x.tokens[:, None]) & x.valid[:, None]
    return Pairs(same.sum(-1).float(), valid)
