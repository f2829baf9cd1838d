"""What the network of arlm is asked for: target next_token."""

from .types import Examples, TokenSites


def next_token(x: Examples) -> TokenSites:
    """Site i - 1 is asked for x_i, at every free site i; site 0 is BOS, so i > 0."""
    row, col = (x.valid & ~x.fixed)[:, 1:].nonzero(as_tuple=True)
    return TokenSites(row, col, x.tokens[row, col + 1])
