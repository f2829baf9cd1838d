"""How many tokens are missing in each gap, in units of the probability that a token is missing.

Paper: arXiv:2509.01025 (FlexMDM)
Also known as: gap_lengths, insertion_counts, missing_counts, gap_count, len_counts, flexmdm
Differs:
    flexmdm: the authors' network predicts the number of missing tokens itself; in units of its
        probability the prediction stays finite at t = 0
"""

import torch
from torch import Tensor

from ..types import GapCounts


def gap_counts(dropped: Tensor, gap: Tensor, open: Tensor, dropped_p: Tensor) -> GapCounts:
    """The number of dropped tokens of each gap, divided by P(a token is dropped)."""
    p = dropped_p.clamp(min=torch.finfo(dropped_p.dtype).eps)
    count = p.new_zeros(open.shape).scatter_add(1, gap.clamp(min=0), dropped.to(p))
    return GapCounts(count / p, open, p)
