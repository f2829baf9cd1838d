"""The divergence of the rates of all edits from those of the edits that remain.

Paper: arXiv:2506.09018 (Edit Flows)
"""

import torch
from torch import Tensor

from ..ops import scatter
from .edits import Edits

ELBO_TERM = True


def edit_divergence(model, hidden: Tensor, target: Edits) -> Tensor:
    """sum of rates - sum over remaining edits of (1 + log rate q(token)), (B, W)."""
    row, col = (target.open | target.free).nonzero(as_tuple=True)
    rates = model.edit_rates(hidden[row, col])  # (N, 3): insert, delete, substitute
    allowed = torch.stack([target.open, target.free, target.free], -1)[row, col]
    nats = scatter((rates * allowed).sum(-1), row, col, hidden)

    row, col = target.row, target.col
    rate, log_q = model.edit_rates(hidden[row, col])[:, 0], model.gap_token_logits(hidden[row, col])
    log_q = log_q.log_softmax(-1).gather(1, target.token[:, None])[:, 0]
    nats = nats - scatter(1 + rate.log() + log_q, row, col, hidden)

    row, col = target.wrong.nonzero(as_tuple=True)
    nats = nats - scatter(1 + model.edit_rates(hidden[row, col])[:, 1].log(), row, col, hidden)

    row, col = target.other.nonzero(as_tuple=True)
    rate, log_q = model.edit_rates(hidden[row, col])[:, 2], model.token_logits(hidden[row, col])
    log_q = log_q.log_softmax(-1).gather(1, target.clean[row, col][:, None])[:, 0]
    return nats - scatter(1 + rate.log() + log_q, row, col, hidden)
