"""The expected number of missing tokens in each gap, given x_0 and x_t.

In units of the probability that a token is missing, as `gap_counts`, and with a smaller variance.

Paper: arXiv:2603.23507 (DID, the ratios of subsequence counts)
Also known as: expected_counts, soft_gap_counts, total_insertion_scores
"""

import torch
from torch import Tensor

from ..ops import missing_p
from ..types import Examples, GapCounts


def expected_gap_counts(x: Examples, dropped: Tensor, open: Tensor, dropped_p: Tensor) -> GapCounts:
    """The expected number of dropped tokens of each gap, divided by P(a token is dropped).

    For a process that drops tokens, every set of one size equally often, and changes no others.
    """
    p = dropped_p.clamp(min=torch.finfo(dropped_p.dtype).eps)
    return GapCounts(missing_p(x, dropped).sum(0).T / p, open, p)
