"""The tokens that replace those that are to be substituted.

Paper: arXiv:2506.09018 (Edit Flows)
Also known as: substitute_tokens, replacement_tokens
"""

from torch import Tensor

from ..types import TokenPositions


def substitutes(other: Tensor, substitute: Tensor) -> TokenPositions:
    """The token of x_0 at each position whose token is to be substituted."""
    row, col = other.nonzero(as_tuple=True)
    return TokenPositions(row, col, substitute[row, col])
