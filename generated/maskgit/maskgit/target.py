"""The target of maskgit: target masked_tokens."""

from torch import Tensor

from .types import TokenPositions


def masked_tokens(clean: Tensor, masked: Tensor) -> TokenPositions:
    """The token of x_0 at each masked position."""
    row, col = masked.nonzero(as_tuple=True)
    return TokenPositions(row, col, clean[row, col])
