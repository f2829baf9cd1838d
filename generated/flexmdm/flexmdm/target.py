"""The target of flexmdm: target masked_tokens and gap_counts."""

import torch
from torch import Tensor

from .types import GapCounts, TokenPositions


def masked_tokens(clean: Tensor, masked: Tensor) -> TokenPositions:
    """The token of x_0 at each masked position."""
    row, col = masked.nonzero(as_tuple=True)
    return TokenPositions(row, col, clean[row, col])


def gap_counts(dropped: Tensor, gap: Tensor, open: Tensor, dropped_p: Tensor) -> GapCounts:
    """The number of dropped tokens of each gap, divided by P(a token is dropped)."""
    p = dropped_p.clamp(min=torch.finfo(dropped_p.dtype).eps)
    count = p.new_zeros(open.shape).scatter_add(1, gap.clamp(min=0), dropped.to(p))
    return GapCounts(count / p, open, p)
