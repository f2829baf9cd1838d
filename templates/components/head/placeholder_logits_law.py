"""The law of `placeholder_logits`: mostly one or two missing tokens."""

import torch
import torch.nn.functional as F
from torch import Tensor


def output(hidden: Tensor, excluded: Tensor) -> Tensor:
    """(..., V + 1) -> (..., 256)."""
    few = hidden[..., :3] - torch.tensor([4, 0, 0])
    return F.pad(few, (0, 253), value=-20.0)
