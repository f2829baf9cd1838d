"""-log p(token) of a second head, at the positions of the target."""

import torch.nn.functional as F
from torch import Tensor

from ..ops import scatter
from ..types import TokenPositions

AUXILIARY = True


def second_cross_entropy(model, hidden: Tensor, target: TokenPositions) -> Tensor:
    """-log p(token), (B, L)."""
    logits = model.second_logits(hidden[target.row, target.col])
    nats = F.cross_entropy(logits, target.token, reduction="none")
    return scatter(nats, target.row, target.col, hidden)
