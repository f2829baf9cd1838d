"""The logits of the number of free tokens.

Paper: arXiv:1904.09324 (Mask-Predict)
"""

from torch import Tensor, nn


class LengthLogits(nn.Module):
    """hidden state -> logits of the lengths 0, 1, ..., longest."""

    def __init__(
        self,
        width: int,
        *,
        longest: int = 128,  # greatest length; in [1, inf)
    ):
        super().__init__()
        self.linear = nn.Linear(width, longest + 1)

    def forward(self, hidden: Tensor) -> Tensor:  # (N, D) -> (N, longest + 1)
        return self.linear(hidden).float()
