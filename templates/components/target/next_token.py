"""p(x_i | x_<i): the token that follows each token.

Also known as: next, next_token_prediction, causal, causal_lm, autoregressive, ar, lm, clm, gpt
"""

from ..types import Examples, TokenSites

ATTENTION = "causal"


def next_token(x: Examples) -> TokenSites:
    """Site i - 1 is asked for x_i, at every free site i; site 0 is BOS, so i > 0."""
    row, col = (x.valid & ~x.fixed)[:, 1:].nonzero(as_tuple=True)
    return TokenSites(row, col, x.tokens[row, col + 1])
