"""The token of x_0 at every free position.

Paper: arXiv:2205.14217 (Diffusion-LM)
"""

from ..types import Examples, TokenPositions


def free_tokens(x: Examples) -> TokenPositions:
    """At each free position its token."""
    row, col = (x.valid & ~x.fixed).nonzero(as_tuple=True)
    return TokenPositions(row, col, x.tokens[row, col])
