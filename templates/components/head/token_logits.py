"""Logits of the tokens at a position.

Also known as: lm_head, logits, vocab_head, token_head
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..types import Vocab


class TokenLogits(nn.Module):
    """hidden state -> logits; masks, padding and BOS are never predicted."""

    never: Tensor  # (V,) bool

    def __init__(self, width: int, vocab: Vocab):
        super().__init__()
        self.linear = nn.Linear(width, vocab.size)
        nn.init.normal_(self.linear.weight, std=0.1 * width**-0.5)  # nearly uniform
        nn.init.zeros_(self.linear.bias)
        never = torch.zeros(vocab.size, dtype=torch.bool)
        never[list(vocab.special)] = True
        self.register_buffer("never", never, persistent=False)

    def forward(self, hidden: Tensor) -> Tensor:  # (N, D) -> (N, V)
        bias = self.linear.bias.masked_fill(self.never, -torch.inf)
        return F.linear(hidden, self.linear.weight, bias).float()
