"""The target of ilm_per_count: target gap_tokens and stop."""

import torch
from torch import Tensor

from .types import Complete, Examples, GapTokens


def gap_tokens(x: Examples, dropped: Tensor, gap: Tensor, open: Tensor) -> GapTokens:
    """Every dropped token, with its gap."""
    row, col = dropped.nonzero(as_tuple=True)
    one = torch.ones(row.shape, device=row.device)
    return GapTokens(row, gap[row, col], x.tokens[row, col], open, one)


def stop(dropped: Tensor) -> Complete:
    """A sequence is complete if nothing was dropped, (B,)."""
    return Complete(~dropped.any(1))
