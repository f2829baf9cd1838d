"""The expected number of each missing token in each gap, given x_0 and x_t.

Which of several equal tokens was dropped does not show in x_t: `gap_tokens` uses the tokens that
were dropped, this target the mean over all that could have been. The minimum of a loss is the same,
and the variance of its gradient is smaller.

Paper: arXiv:2603.23507 (DID, the ratios of subsequence counts)
Also known as: insertion_scores, subsequence_counts, insertion_score, did, soft_gap_tokens
"""

from torch import Tensor

from ..ops import missing_p
from ..types import Examples, GapTokens


def expected_gap_tokens(x: Examples, dropped: Tensor, open: Tensor) -> GapTokens:
    """Each token that may be missing in a gap, with its probability (DID, arXiv:2603.23507).

    For a process that drops tokens, every set of one size equally often, and changes no others.
    """
    p = missing_p(x, dropped)
    position, col, row = (p > 0).nonzero(as_tuple=True)
    return GapTokens(row, col, x.tokens[row, position], open, p[position, col, row])
