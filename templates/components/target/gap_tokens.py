"""Which tokens are missing, and behind which: p(gap, token | x_t).

Paper: arXiv:2505.05755 (ILM)
Also known as: insertions, insertion, insertion_targets, insert_tokens, gaps, gap, missing_tokens,
    dropped_tokens, slot_tokens, ilm
"""

from torch import Tensor

from ..types import Examples, GapTokens


def gap_tokens(x: Examples, dropped: Tensor, gap: Tensor, open: Tensor) -> GapTokens:
    """Every dropped token, with the gap that it fell out of."""
    row, site = dropped.nonzero(as_tuple=True)
    return GapTokens(row, gap[row, site], x.tokens[row, site], open)
