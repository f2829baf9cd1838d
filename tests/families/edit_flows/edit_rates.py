"""The rates of the edits at a position.

Paper: arXiv:2506.09018 (Edit Flows)
"""

import torch.nn.functional as F
from torch import Tensor, nn


class EditRates(nn.Module):
    """hidden state -> rates of an insertion after it, of its deletion and of its substitution.

    In units of the rate of an edit that remains, -alpha'(t) / (1 - alpha(t)); positive.
    """

    def __init__(self, width: int):
        super().__init__()
        self.linear = nn.Linear(width, 3)

    def forward(self, hidden: Tensor) -> Tensor:  # (N, D) -> (N, 3)
        return F.softplus(self.linear(hidden).float()).clamp(min=1e-6)
