"""The target of did: target expected_gap_counts and expected_gap_tokens."""

import torch
from torch import Tensor

from .ops import missing_p
from .types import Examples, GapCounts, GapTokens


def expected_gap_counts(x: Examples, dropped: Tensor, open: Tensor, dropped_p: Tensor) -> GapCounts:
    """The expected number of dropped tokens of each gap, divided by P(a token is dropped).

    For a process that drops tokens, every set of one size equally often, and changes no others.
    """
    p = dropped_p.clamp(min=torch.finfo(dropped_p.dtype).eps)
    return GapCounts(missing_p(x, dropped).sum(0).T / p, open, p)


def expected_gap_tokens(x: Examples, dropped: Tensor, open: Tensor) -> GapTokens:
    """Each token that may be missing in a gap, with its probability (DID, arXiv:2603.23507).

    For a process that drops tokens, every set of one size equally often, and changes no others.
    """
    p = missing_p(x, dropped)
    position, col, row = (p > 0).nonzero(as_tuple=True)
    return GapTokens(row, col, x.tokens[row, position], open, p[position, col, row])
