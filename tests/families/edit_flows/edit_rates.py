"""The rates of the edits at a position.

Paper: arXiv:2506.09018 (Edit Flows)
"""

import torch.nn.functional as F
from torch import Tensor, nn


class EditRates(nn.Module):
    """hidden state -> rates of an insertion after it, of its deletion and of its substitution.

    In units of -alpha'(t); positive.
    """

    def __init__(self, width: int):
        super().__init__()
        self.linear = nn.Linear(width, 3)

    def forward(self, hidden: Tensor) -> Tensor:  # (B, L, D) -> (B, L, 3)
        return F.softplus(self.linear(hidden).float()).clamp(min=1e-6)
