"""The target of dfm: target clean_tokens."""

from torch import Tensor

from .types import Examples, TokenPositions


def clean_tokens(x: Examples, clean: Tensor) -> TokenPositions:
    """The token of x_0 at each free position."""
    row, col = (x.valid & ~x.fixed).nonzero(as_tuple=True)
    return TokenPositions(row, col, clean[row, col])
