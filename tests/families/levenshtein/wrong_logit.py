"""The log-odds that a token is wrong.

Paper: arXiv:1905.11006 (Levenshtein Transformer)
"""

from torch import Tensor, nn


class DeleteLogit(nn.Module):
    """hidden state -> log-odds that the token at this position is wrong."""

    def __init__(self, width: int):
        super().__init__()
        self.linear = nn.Linear(width, 1)

    def forward(self, hidden: Tensor) -> Tensor:  # (N, D) -> (N,)
        return self.linear(hidden)[:, 0].float()
