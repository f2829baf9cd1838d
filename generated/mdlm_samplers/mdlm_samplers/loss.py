"""The loss of mdlm_samplers: loss cross_entropy."""

from torch import Tensor

from .ops import scatter, token_nats
from .types import TokenPositions


def cross_entropy(model, hidden: Tensor, target: TokenPositions) -> Tensor:
    """-log p(token | x_t) per position, (B, L); logits only at the target positions."""
    at = hidden[target.row, target.col]  # (N, D)
    nats = token_nats(model.token_logits, at, target.token)  # (N,)
    return scatter(nats, target.row, target.col, hidden)
