"""-log p(length | prompt), from a forward pass over the prompt alone.

Paper: arXiv:1904.09324 (Mask-Predict)
"""

import torch.nn.functional as F
from torch import Tensor

from ..types import Examples
from .length import Length

ELBO_ALONE = True


def length_cross_entropy(model, target: Length, x: Examples) -> Tensor:
    """The cross-entropy of the length, read at BOS, (B, 1).

    Raises ValueError if a sequence has more free tokens than the `longest` of `length_logits`.
    """
    hidden = model(x.tokens, x.valid & x.fixed)
    logits = model.length_logits(hidden[:, 0])  # (B, longest + 1)
    if (most := int(target.count.max())) >= logits.shape[1]:
        raise ValueError(f"{most} free tokens, but `longest` of `length_logits` is less")
    return F.cross_entropy(logits, target.count, reduction="none")[:, None]
