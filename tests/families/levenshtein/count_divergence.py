"""The Poisson likelihood of the number of missing tokens.

Paper: arXiv:1905.11006 (Levenshtein Transformer; a Poisson mean in place of its 256 classes)
"""

import torch
from torch import Tensor

from ..ops import scatter
from .gap_counts import GapCounts


def count_divergence(model, hidden: Tensor, target: GapCounts) -> Tensor:
    """n_hat - n - n log n_hat at each open gap, (B, L)."""
    row, col = target.open.nonzero(as_tuple=True)
    expected = model.gap_count(hidden[row, col]).clamp(min=1e-6)  # (N,)
    count = target.count[row, col]
    nats = expected - count - count * torch.log(expected)
    return scatter(nats, row, col, hidden)
