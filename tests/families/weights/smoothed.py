"""Cross-entropy with label smoothing over the tokens that may be predicted.

Paper: arXiv:1512.00567 (Szegedy et al.)
"""

import torch
from torch import Tensor

from ..ops import scatter
from ..types import TokenPositions

ELBO_LOSS = "cross_entropy"


def smoothed(
    model,
    hidden: Tensor,
    target: TokenPositions,
    *,
    share: float = 0.1,  # of all other tokens together; in [0, 1)
) -> Tensor:
    """-(1 - share) log p(token) - share mean_v log p(v) per position, (B, L)."""
    log_p = model.token_logits(hidden[target.row, target.col]).log_softmax(-1)
    nats = -log_p.gather(1, target.token[:, None])[:, 0]
    known = log_p.isfinite()
    even = -torch.where(known, log_p, 0.0).sum(-1) / known.sum(-1)
    return scatter((1 - share) * nats + share * even, target.row, target.col, hidden)
