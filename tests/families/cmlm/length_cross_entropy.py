"""-log p(length | prompt), from a forward pass over the prompt alone.

Paper: arXiv:1904.09324 (Mask-Predict)
"""

import torch.nn.functional as F
from torch import Tensor

from ..types import Examples
from .length import Length

ELBO_ALONE = True


def length_cross_entropy(model, target: Length, x: Examples) -> Tensor:
    """The cross-entropy of the length, read at BOS, (B, 1)."""
    hidden = model(x.tokens, x.valid & x.fixed)
    logits = model.length_logits(hidden[:, 0])  # (B, longest + 1)
    return F.cross_entropy(logits, target.count, reduction="none")[:, None]
