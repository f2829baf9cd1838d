"""The token of x_0 at the positions that the model filled."""

from torch import Tensor

from ..types import TokenPositions


def drawn_tokens(clean: Tensor, drawn: Tensor) -> TokenPositions:
    """The correct tokens there."""
    row, col = drawn.nonzero(as_tuple=True)
    return TokenPositions(row, col, clean[row, col])
