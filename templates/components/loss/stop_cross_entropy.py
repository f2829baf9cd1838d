"""-log p(is anything missing? | x_t), read at BOS.

Paper: arXiv:2505.05755 (ILM)
Also known as: stop_bce, stop_loss, stopping_loss, length_loss, bce, binary_ce,
    binary_cross_entropy, bce_with_logits
Differs:
    length_loss: a loss of a predicted length is not available; this loss predicts only
        whether anything is missing
"""

import torch.nn.functional as F
from torch import Tensor

from ..types import Complete

ELBO_TERM = True


def stop_cross_entropy(model, hidden: Tensor, target: Complete) -> Tensor:
    """Binary cross-entropy of `nothing is missing`, (B, 1)."""
    logit = model.stop_logit(hidden[:, 0])  # (B,)
    complete = target.complete.to(logit.dtype)
    return F.binary_cross_entropy_with_logits(logit, complete, reduction="none")[:, None]
