"""The target of editflows_pairs.

Target gap_counts and gap_tokens and deletions and substitutions and substitutes.
"""

import torch
from torch import Tensor

from .types import Deletions, Examples, GapCounts, GapTokens, Substitutions, TokenPositions


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


def deletions(free: Tensor, wrong: Tensor, dropped_p: Tensor) -> Deletions:
    """1 / P(not edited) at free tokens that are to be deleted, else 0."""
    p = dropped_p.clamp(min=torch.finfo(dropped_p.dtype).eps)
    return Deletions(wrong / p, free, p)


def substitutions(free: Tensor, other: Tensor, dropped_p: Tensor) -> Substitutions:
    """1 / P(not edited) at free tokens that are to be substituted, else 0."""
    p = dropped_p.clamp(min=torch.finfo(dropped_p.dtype).eps)
    return Substitutions(other / p, free, p)


def substitutes(other: Tensor, substitute: Tensor) -> TokenPositions:
    """The token of x_0 at each position whose token is to be substituted."""
    row, col = other.nonzero(as_tuple=True)
    return TokenPositions(row, col, substitute[row, col])
