"""The law of `gap_token_logits`: a score of each token that may be inserted.

Not that of `token_logits`, so that a confusion of the two is detected.
"""

import torch
from torch import Tensor


def output(hidden: Tensor, excluded: Tensor) -> Tensor:
    """(..., V + 1) -> (..., V)."""
    return hidden[..., 1:].masked_fill(excluded, -torch.inf)
