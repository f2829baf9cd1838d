"""What the network of ilm_levels is asked for: target gap_tokens, target stop."""

from torch import Tensor

from .types import Complete, Examples, GapTokens


def gap_tokens(x: Examples, dropped: Tensor, gap: Tensor, open: Tensor) -> GapTokens:
    """Every dropped token, with the gap that it fell out of."""
    row, site = dropped.nonzero(as_tuple=True)
    return GapTokens(row, gap[row, site], x.tokens[row, site], open)


def stop(dropped: Tensor) -> Complete:
    """Rows of which nothing was dropped are complete, (B,)."""
    return Complete(~dropped.any(1))
