"""The Poisson likelihood of the number of missing tokens.

Paper: arXiv:2509.01025 (FlexMDM)
"""

import torch
from torch import Tensor

from ..ops import scatter
from .gap_counts import GapCounts

ELBO_TERM = True
MINIMISER = "expected_count"


def count_divergence(model, hidden: Tensor, target: GapCounts) -> Tensor:
    """n_hat - n - n log n_hat at each open gap, (B, L)."""
    row, col = target.open.nonzero(as_tuple=True)
    expected = model.gap_count(hidden[row, col])  # (N,)
    count = target.count[row, col]
    nats = expected - count - count * torch.log(expected.clamp(min=1e-6))
    return scatter(nats, row, col, hidden)
