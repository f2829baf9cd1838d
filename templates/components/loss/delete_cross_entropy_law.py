"""The law of `delete_cross_entropy`: minus log p of whether each token is wrong."""

import torch
from torch import Tensor


def nats(model, hidden: Tensor, targets: list[tuple[int, bool]]) -> float:
    p = torch.sigmoid(model.delete_logit(hidden).double())
    return -sum(float((p[j] if wrong else 1 - p[j]).log()) for j, wrong in targets)
