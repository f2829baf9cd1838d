"""The law of `entropy`: minus the entropy."""

import torch
from torch import Tensor


def score(rule, p: Tensor, positions: Tensor) -> Tensor:
    return torch.xlogy(p, p).sum(-1)
