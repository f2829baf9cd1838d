"""A term of the bound by itself: the nats of the tokens at the positions, with a second scale."""

import torch.nn.functional as F
from torch import Tensor

from ..ops import scatter
from ..types import TokenPositions

ELBO_ALONE = True


def alone(
    model,
    hidden: Tensor,
    target: TokenPositions,
    *,
    share: float = 0.5,  # of the nats; in [0, 1]
) -> Tensor:
    """share * -log p(token) + the magnitude, (B, L)."""
    logits = model.token_logits(hidden[target.row, target.col])
    nats = F.cross_entropy(logits, target.token, reduction="none")
    nats = share * nats + model.magnitude(hidden[target.row, target.col])
    return scatter(nats, target.row, target.col, hidden)
