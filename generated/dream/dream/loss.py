"""The loss of dream: loss cross_entropy."""

import torch.nn.functional as F
from torch import Tensor

from .ops import scatter
from .types import TokenPositions


def cross_entropy(model, hidden: Tensor, target: TokenPositions) -> Tensor:
    """-log p(token | x_t) per position, (B, L); logits only at the target positions."""
    logits = model.token_logits(hidden[target.row, target.col])  # (N, V)
    nats = F.cross_entropy(logits, target.token, reduction="none")  # (N,)
    return scatter(nats, target.row, target.col, hidden)
