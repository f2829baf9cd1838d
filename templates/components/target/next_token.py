"""p(x_i | x_<i): the token that follows each token.

Also known as: next, next_token_prediction, causal, causal_lm, autoregressive, ar, lm, clm, gpt
"""

from ..types import Examples, TokenPositions

ATTENTION = "causal"


def next_token(x: Examples) -> TokenPositions:
    """Position i - 1 predicts x_i for every free position i; position 0 is BOS, so i > 0."""
    row, col = (x.valid & ~x.fixed)[:, 1:].nonzero(as_tuple=True)
    return TokenPositions(row, col, x.tokens[row, col + 1])
