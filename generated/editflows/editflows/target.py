"""The target of editflows: target gap_counts and gap_tokens."""

import torch
from torch import Tensor

from .types import Examples, GapCounts, GapTokens


def gap_counts(dropped: Tensor, gap: Tensor, open: Tensor, dropped_p: Tensor) -> GapCounts:
    """The number of dropped tokens of each gap, divided by P(a token is dropped)."""
    p = dropped_p.clamp(min=torch.finfo(dropped_p.dtype).eps)
    count = p.new_zeros(open.shape).scatter_add(1, gap.clamp(min=0), dropped.to(p))
    return GapCounts(count / p, open, p)


def gap_tokens(x: Examples, dropped: Tensor, gap: Tensor, open: Tensor) -> GapTokens:
    """Every dropped token, with its gap."""
    row, col = dropped.nonzero(as_tuple=True)
    one = torch.ones(row.shape, device=row.device)
    return GapTokens(row, gap[row, col], x.tokens[row, col], open, one)
