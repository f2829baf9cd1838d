"""The expected number of missing tokens in the gap after a token, per probability of a drop.

Paper: arXiv:2509.01025 (FlexMDM)
Also known as: gap_length, insertion_rate, length_head, expected_gap
"""

import torch.nn.functional as F
from torch import Tensor, nn


class GapCount(nn.Module):
    """hidden state -> E[tokens missing right after it] / P(a token is dropped), positive."""

    def __init__(self, width: int):
        super().__init__()
        self.linear = nn.Linear(width, 1)

    def forward(self, hidden: Tensor) -> Tensor:  # (N, D) -> (N,)
        return F.softplus(self.linear(hidden).float()[:, 0])
