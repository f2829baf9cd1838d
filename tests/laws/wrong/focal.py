"""Focal loss, said to be a bound."""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..ops import scatter
from ..types import TokenPositions

ELBO_TERM = True


def focal(model, hidden: Tensor, target: TokenPositions) -> Tensor:
    nats = F.cross_entropy(
        model.token_logits(hidden[target.row, target.col]), target.token, reduction="none"
    )
    return scatter(-torch.expm1(-nats) * nats, target.row, target.col, hidden)
