"""The terms of the loss of mdlm_exact: loss cross_entropy."""

import torch.nn.functional as F
from torch import Tensor

from .ops import spread
from .types import TokenSites


def cross_entropy(model, hidden: Tensor, target: TokenSites) -> Tensor:
    """-log p(token | x_t) per site, (B, L); only the wanted sites reach the vocabulary."""
    logits = model.token_logits(hidden[target.row, target.col])  # (N, V)
    nats = F.cross_entropy(logits, target.token, reduction="none")  # (N,)
    return spread(nats, target.row, target.col, hidden)
