"""Cross-entropy per gap against the balanced tree, `nothing here` among the outcomes.

Paper: arXiv:1902.03249 (Insertion Transformer)
"""

import torch.nn.functional as F
from torch import Tensor

from ..ops import scatter
from .slot_tokens import Slots


def slot_loss(model, hidden: Tensor, target: Slots) -> Tensor:
    """-sum_v w_v log p(v | gap), or -log p(nothing | gap), (B, L)."""
    at = hidden[target.row, target.col]
    log_p = F.logsigmoid(-model.slot_end(at))
    log_p = (
        log_p + model.gap_token_logits(at).log_softmax(-1).gather(1, target.token[:, None])[:, 0]
    )
    nats = scatter(-target.share * log_p, target.row, target.col, hidden)
    row, col = target.empty.nonzero(as_tuple=True)
    return nats + scatter(-F.logsigmoid(model.slot_end(hidden[row, col])), row, col, hidden)
