"""p(x_0,i | x_t) at every free position, be it noisy or not."""

from torch import Tensor

from ..types import Examples, TokenPositions


def original_tokens(x: Examples, clean: Tensor) -> TokenPositions:
    """At each free position the token that stood there."""
    row, col = (x.valid & ~x.fixed).nonzero(as_tuple=True)
    return TokenPositions(row, col, clean[row, col])
