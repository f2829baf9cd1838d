"""The expected number of missing tokens in the gap after a position.

Paper: arXiv:1905.11006 (Levenshtein Transformer)
"""

import torch.nn.functional as F
from torch import Tensor, nn


class MissingCount(nn.Module):
    """hidden state -> expected number of tokens missing right after this position."""

    def __init__(self, width: int):
        super().__init__()
        self.linear = nn.Linear(width, 1)

    def forward(self, hidden: Tensor) -> Tensor:  # (N, D) -> (N,)
        return F.softplus(self.linear(hidden)[:, 0].float())
