"""The target of arlm: target next_token."""

from .types import Examples, TokenPositions


def next_token(x: Examples) -> TokenPositions:
    """Position i - 1 predicts x_i for every free position i; position 0 is BOS, so i > 0."""
    row, col = (x.valid & ~x.fixed)[:, 1:].nonzero(as_tuple=True)
    return TokenPositions(row, col, x.tokens[row, col + 1])
