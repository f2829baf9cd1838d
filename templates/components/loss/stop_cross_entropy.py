"""-log p(is anything missing? | x_t), read at BOS.

Paper: arXiv:2505.05755 (ILM)
Also known as: stop_bce, stop_loss, stopping_loss, length_loss, bce, binary_ce,
    binary_cross_entropy, bce_with_logits
"""

import torch.nn.functional as F
from torch import Tensor

from ..types import Complete

BOUND = True


def stop_cross_entropy(model, hidden: Tensor, target: Complete) -> Tensor:
    """Binary cross-entropy of `nothing is missing`, (B, 1)."""
    logit = model.stop_logit(hidden[:, 0])  # (B,)
    wanted = target.complete.to(logit.dtype)
    return F.binary_cross_entropy_with_logits(logit, wanted, reduction="none")[:, None]
