"""Which tokens are to be substituted, in units of the probability that a position is not edited.

Paper: arXiv:2506.09018 (Edit Flows)
Also known as: substitute_targets, substitute_ops
"""

import torch
from torch import Tensor

from ..types import Substitutions


def substitutions(free: Tensor, other: Tensor, dropped_p: Tensor) -> Substitutions:
    """1 / P(not edited) at free tokens that are to be substituted, else 0."""
    p = dropped_p.clamp(min=torch.finfo(dropped_p.dtype).eps)
    return Substitutions(other / p, free, p)
