"""p(x_0,i | x_t) at the free positions that are not masked: an auxiliary target."""

from torch import Tensor

from ..types import Examples, TokenPositions


def clean_neighbours(x: Examples, clean: Tensor, masked: Tensor) -> TokenPositions:
    """The token of x_0 at each free position that is not masked."""
    row, col = (x.valid & ~x.fixed & ~masked).nonzero(as_tuple=True)
    return TokenPositions(row, col, clean[row, col])
