"""Logits of the number of missing tokens in the gap after a token.

Paper: arXiv:1905.11006 (Levenshtein Transformer)
Also known as: placeholder_head, mask_ins_head
"""

from torch import Tensor, nn


class PlaceholderLogits(nn.Module):
    """hidden state -> logits of 0, ..., 254, and of 255 or more."""

    def __init__(self, width: int):
        super().__init__()
        self.linear = nn.Linear(width, 256)

    def forward(self, hidden: Tensor) -> Tensor:  # (N, D) -> (N, 256)
        return self.linear(hidden).float()
