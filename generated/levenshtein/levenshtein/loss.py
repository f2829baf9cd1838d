"""The loss of levenshtein.

Loss placeholder_cross_entropy and cross_entropy and delete_cross_entropy.
"""

import torch.nn.functional as F
from torch import Tensor

from .ops import scatter, token_nats
from .types import GapNumbers, TokenPositions, WrongTokens


def placeholder_cross_entropy(model, hidden: Tensor, target: GapNumbers) -> Tensor:
    """Cross-entropy at each open gap, (B, L); larger numbers are the last class."""
    logits = model.placeholder_logits(hidden[target.row, target.col])  # (N, classes)
    number = target.number.clamp(max=logits.shape[1] - 1)
    nats = F.cross_entropy(logits, number, reduction="none")
    return scatter(nats, target.row, target.col, hidden)


def cross_entropy(model, hidden: Tensor, target: TokenPositions) -> Tensor:
    """-log p(token | x_t) per position, (B, L); logits only at the target positions."""
    at = hidden[target.row, target.col]  # (N, D)
    nats = token_nats(model.token_logits, at, target.token)  # (N,)
    return scatter(nats, target.row, target.col, hidden)


def delete_cross_entropy(model, hidden: Tensor, target: WrongTokens) -> Tensor:
    """The binary cross-entropy at each free position, (B, L)."""
    logit = model.delete_logit(hidden[target.row, target.col])  # (N,)
    wrong = target.wrong.to(logit.dtype)
    nats = F.binary_cross_entropy_with_logits(logit, wrong, reduction="none")
    return scatter(nats, target.row, target.col, hidden)
