"""How many tokens are missing in all, in units of the probability that a token is missing.

Paper: arXiv:2606.10199 (DILM, its clock)
Also known as: total_count, missing_total, n_drop, clock
Differs:
    n_drop: the authors' network predicts a distribution over the numbers, of which only the mean is
        used; here it predicts the mean
"""

import torch
from torch import Tensor

from ..types import GapCounts


def missing_count(dropped: Tensor, open: Tensor, dropped_p: Tensor) -> GapCounts:
    """The number of dropped tokens, divided by P(a token is dropped), read at BOS."""
    p = dropped_p.clamp(min=torch.finfo(dropped_p.dtype).eps)
    first = torch.zeros_like(open)
    first[:, 0] = open.any(1)
    return GapCounts(first * dropped.sum(1, keepdim=True) / p, first, p)
