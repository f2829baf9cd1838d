"""Logit of p(complete): is nothing missing?

Also known as: stop_head, stop_logits, completeness, completeness_head
"""

from torch import Tensor, nn


class StopLogit(nn.Module):
    """hidden state of BOS -> log-odds that nothing is missing."""

    def __init__(self, width: int):
        super().__init__()
        self.linear = nn.Linear(width, 1)
        nn.init.zeros_(self.linear.weight)  # p = 1/2 at initialization
        nn.init.zeros_(self.linear.bias)

    def forward(self, hidden: Tensor) -> Tensor:  # (N, D) -> (N,)
        return self.linear(hidden).float()[:, 0]
