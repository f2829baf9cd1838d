"""The missing tokens of each gap, with shares that add up to one; or that nothing is missing.

Paper: arXiv:1902.03249 (Insertion Transformer, balanced binary tree and uniform loss)
Also known as: slot_tokens, slot_targets, insertion_transformer, binary_tree (balanced: true),
    uniform_spans (balanced: false)
    tau: temperature
Differs:
    insertion_transformer: that a gap is finished is an output of its own, not a token of the
        vocabulary; sequence termination, in which only the last gaps of all are finished, is that
        of `tree_cross_entropy` beside target `stop`
"""

import torch
from torch import Tensor

from ..types import Examples, GapShares


def gap_shares(
    x: Examples,
    dropped: Tensor,
    gap: Tensor,
    open: Tensor,
    *,
    balanced: bool = True,  # the middle token of a gap has the largest share, not all the same
    tau: float = 1.0,  # temperature of the shares; in (0, inf)
) -> GapShares:
    """Shares ~ exp(-|distance to the middle of the gap's tokens| / tau) (arXiv:1902.03249).

    Two middle tokens have the distance 0, not 1/2: the shares are the same, and finite for any tau.
    """
    row, position = dropped.nonzero(as_tuple=True)
    col = gap[row, position]
    key = row * dropped.shape[1] + col  # of a gap
    first = position.new_full((dropped.numel(),), dropped.shape[1])
    first = first.scatter_reduce(0, key, position, "amin")[key]
    last = position.new_zeros(dropped.numel()).scatter_reduce(0, key, position, "amax")[key]
    distance = (2 * position - first - last).abs() // 2  # to the nearest middle token
    weight = torch.exp(-distance / tau * balanced)
    total = weight.new_zeros(dropped.numel()).index_add(0, key, weight)[key]
    filled = torch.zeros_like(open).index_put((row, col), torch.ones_like(row, dtype=torch.bool))
    return GapShares(row, col, x.tokens[row, position], weight / total, open & ~filled)
