"""-log p(number of missing tokens | gap), one softmax for each gap.

Paper: arXiv:1905.11006 (Levenshtein Transformer)
Also known as: mask_ins_loss, placeholder_loss
"""

import torch.nn.functional as F
from torch import Tensor

from ..ops import scatter
from ..types import GapNumbers


def placeholder_cross_entropy(model, hidden: Tensor, target: GapNumbers) -> Tensor:
    """Cross-entropy at each open gap, (B, L); larger numbers are the last class."""
    logits = model.placeholder_logits(hidden[target.row, target.col])  # (N, classes)
    number = target.number.clamp(max=logits.shape[1] - 1)
    nats = F.cross_entropy(logits, number, reduction="none")
    return scatter(nats, target.row, target.col, hidden)
