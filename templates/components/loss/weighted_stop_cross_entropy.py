"""`stop_cross_entropy` with a weight for each of its two classes; no bound.

Paper: arXiv:2505.05755 (ILM, its configuration for OpenWebText)
Also known as: weighted_bce, balanced_bce, class_weighted_bce
    complete: stopping_class_weight, pos_weight, class_weight
Differs:
    pos_weight: elsewhere the weight of one class, where the other's is 1; here both add up to 1
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..types import Complete

ELBO_LOSS = "stop_cross_entropy"


def weighted_stop_cross_entropy(
    model,
    hidden: Tensor,
    target: Complete,
    *,
    complete: float = 0.5,  # weight of complete sequences; of others 1 minus it; in (0, 1)
) -> Tensor:
    """Binary cross-entropy of `nothing is missing`, times the weight of its class, (B, 1).

    ILM's code (arXiv:2505.05755) has weights of .9 and .1 for OpenWebText, and a factor of .001:
    `weight: 0.001`. Its minimiser is not the posterior: move the `threshold` of the sampler.
    """
    logit = model.stop_logit(hidden[:, 0])  # (B,)
    right = target.complete.to(logit.dtype)
    weight = torch.where(target.complete, complete, 1 - complete)
    nats = F.binary_cross_entropy_with_logits(logit, right, reduction="none")
    return (weight * nats)[:, None]
