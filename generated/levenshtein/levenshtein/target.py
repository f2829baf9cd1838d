"""The target of levenshtein: target placeholder_counts and masked_tokens and wrong_tokens."""

from torch import Tensor

from .types import Examples, GapNumbers, TokenPositions, WrongTokens


def placeholder_counts(dropped: Tensor, gap: Tensor, open: Tensor) -> GapNumbers:
    """The number of dropped tokens in each open gap."""
    count = gap.new_zeros(open.shape).scatter_add(1, gap.clamp(min=0), dropped.long())
    row, col = open.nonzero(as_tuple=True)
    return GapNumbers(row, col, count[row, col])


def masked_tokens(clean: Tensor, masked: Tensor) -> TokenPositions:
    """The token of x_0 at each masked position."""
    row, col = masked.nonzero(as_tuple=True)
    return TokenPositions(row, col, clean[row, col])


def wrong_tokens(x: Examples, wrong: Tensor) -> WrongTokens:
    """Whether each free token is wrong."""
    row, col = (x.valid & ~x.fixed).nonzero(as_tuple=True)
    return WrongTokens(row, col, wrong[row, col])
