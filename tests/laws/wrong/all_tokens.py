"""Every free token, seen or not."""

from torch import Tensor

from ..types import Examples, TokenPositions


def all_tokens(x: Examples, clean: Tensor) -> TokenPositions:
    row, col = (x.valid & ~x.fixed).nonzero(as_tuple=True)
    return TokenPositions(row, col, clean[row, col])
