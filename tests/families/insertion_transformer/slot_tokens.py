"""Per gap: tokens missing there, the middle ones weighing most; or that nothing is missing.

Paper: arXiv:1902.03249 (Insertion Transformer, balanced binary tree)
"""

from typing import NamedTuple

import torch
from torch import Tensor

from ..types import Examples


class Slots(NamedTuple):
    """N missing tokens, and the gaps in which none is missing."""

    row: Tensor  # (N,)
    col: Tensor  # (N,) after which position
    token: Tensor  # (N,)
    share: Tensor  # (N,) of its gap, sums to one
    empty: Tensor  # (B, L) bool, open gaps in which nothing is missing


def slot_tokens(
    x: Examples,
    dropped: Tensor,
    gap: Tensor,
    open: Tensor,
    *,
    tau: float = 1.0,  # temperature of the tree's weights; in (0, inf)
) -> Slots:
    """Softmax over the span of -|distance to its middle| / tau."""
    row, position = dropped.nonzero(as_tuple=True)
    col = gap[row, position]
    key = row * dropped.shape[1] + col
    first = torch.full((dropped.numel(),), dropped.shape[1], device=key.device)
    first = first.scatter_reduce(0, key, position, "amin")[key]
    last = torch.zeros(dropped.numel(), dtype=torch.long, device=key.device)
    last = last.scatter_reduce(0, key, position, "amax")[key]
    weight = torch.exp(-(position - (first + last) / 2).abs() / tau)
    total = weight.new_zeros(dropped.numel()).index_add(0, key, weight)[key]
    filled = torch.zeros_like(open).index_put((row, col), torch.ones_like(row, dtype=torch.bool))
    return Slots(row, col, x.tokens[row, position], weight / total, open & ~filled)
