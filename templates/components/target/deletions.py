"""Which tokens are to be deleted, in units of the probability that a position is not edited.

Paper: arXiv:2506.09018 (Edit Flows)
Also known as: delete_targets, delete_ops
"""

import torch
from torch import Tensor

from ..types import Deletions


def deletions(free: Tensor, wrong: Tensor, dropped_p: Tensor) -> Deletions:
    """1 / P(not edited) at free tokens that are to be deleted, else 0."""
    p = dropped_p.clamp(min=torch.finfo(dropped_p.dtype).eps)
    return Deletions(wrong / p, free, p)
