"""The Poisson likelihood of the number of missing tokens.

Paper: arXiv:1905.11006 (Levenshtein Transformer; a Poisson mean in place of its 256 classes)
"""

import torch
from torch import Tensor

from ..ops import scatter
from ..types import GapTokens


def number_divergence(model, hidden: Tensor, target: GapTokens) -> Tensor:
    """n_hat - n - n log n_hat at each open gap, (B, L), for n missing tokens."""
    one = torch.ones_like(target.token, dtype=hidden.dtype)
    row, col = target.open.nonzero(as_tuple=True)
    n = scatter(one, target.row, target.col, hidden)[row, col]  # (N,)
    n_hat = model.missing_count(hidden[row, col]).clamp(min=1e-6)
    return scatter(n_hat - n - n * n_hat.log(), row, col, hidden)
