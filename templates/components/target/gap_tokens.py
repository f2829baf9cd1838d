"""The missing tokens and their gaps: p(gap, token | x_t).

Paper: arXiv:2505.05755 (ILM)
Also known as: insertions, insertion, insertion_targets, insert_tokens, gaps, gap, missing_tokens,
    dropped_tokens, ilm
"""

import torch
from torch import Tensor

from ..types import Examples, GapTokens


def gap_tokens(x: Examples, dropped: Tensor, gap: Tensor, open: Tensor) -> GapTokens:
    """Every dropped token, with its gap."""
    row, col = dropped.nonzero(as_tuple=True)
    one = torch.ones(row.shape, device=row.device)
    return GapTokens(row, gap[row, col], x.tokens[row, col], open, one)
