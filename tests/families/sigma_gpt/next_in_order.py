"""The token that is read next.

Paper: arXiv:2404.09562 (sigma-GPT)
"""

from torch import Tensor

from ..types import TokenPositions

ATTENTION = "causal"


def next_in_order(tokens: Tensor, wanted: Tensor) -> TokenPositions:
    """The token after each position before a free one, in reading order."""
    row, col = wanted.nonzero(as_tuple=True)
    return TokenPositions(row, col, tokens[row, col + 1])
