"""A positive number for each hidden state."""

import torch.nn.functional as F
from torch import Tensor, nn


class Magnitude(nn.Module):
    """hidden state -> number > 0."""

    def __init__(
        self,
        width: int,
        layers: int,
        *,
        scale: float = 1.0,  # of the output; in (0, 10]
    ):
        super().__init__()
        self.linear, self.scale = nn.Linear(width, 1), scale / layers

    def forward(self, hidden: Tensor) -> Tensor:
        """(..., D) -> (...)."""
        return self.scale * F.softplus(self.linear(hidden)[..., 0].float())
