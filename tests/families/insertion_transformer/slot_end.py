"""Log-odds that nothing is missing in a gap.

Paper: arXiv:1902.03249 (Insertion Transformer)
"""

from torch import Tensor, nn


class SlotEnd(nn.Module):
    """hidden state -> log-odds that nothing is missing after it."""

    def __init__(self, width: int):
        super().__init__()
        self.linear = nn.Linear(width, 1)

    def forward(self, hidden: Tensor) -> Tensor:  # (N, D) -> (N,)
        return self.linear(hidden)[:, 0].float()
