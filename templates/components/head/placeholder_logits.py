"""Logits of the number of missing tokens in the gap after a token.

Paper: arXiv:1905.11006 (Levenshtein Transformer)
Also known as: placeholder_head, mask_ins_head
"""

from torch import Tensor, nn

MOST = 255  # the last class: so many or more


class PlaceholderLogits(nn.Module):
    """hidden state -> logits of 0, ..., MOST."""

    def __init__(self, width: int):
        super().__init__()
        self.linear = nn.Linear(width, MOST + 1)

    def forward(self, hidden: Tensor) -> Tensor:  # (N, D) -> (N, MOST + 1)
        return self.linear(hidden).float()
