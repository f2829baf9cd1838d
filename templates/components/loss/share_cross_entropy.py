"""-log p(token | its gap), weighted by the shares of a gap's tokens, and of finished gaps.

Paper: arXiv:1902.03249 (Insertion Transformer)
Also known as: slot_loss, slot_cross_entropy, insertion_transformer, kl_slot
"""

import torch.nn.functional as F
from torch import Tensor

from ..ops import scatter, token_nats
from ..types import GapShares


def share_cross_entropy(model, hidden: Tensor, target: GapShares) -> Tensor:
    """-sum_v share_v log p(not finished, v | gap), or -log p(finished | gap), (B, L)."""
    at = hidden[target.row, target.col]  # (N, D)
    nats = token_nats(model.gap_token_logits, at, target.token)
    nats = target.share * (nats - F.logsigmoid(-model.gap_end_logit(at)))
    row, col = target.empty.nonzero(as_tuple=True)
    finished = -F.logsigmoid(model.gap_end_logit(hidden[row, col]))
    nats = scatter(nats, target.row, target.col, hidden)
    return nats + scatter(finished, row, col, hidden)
