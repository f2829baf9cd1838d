"""The law of `stop_cross_entropy`: minus log p of the stop target, predicted at BOS."""

import torch.nn.functional as F
from torch import Tensor


def nats(model, hidden: Tensor, complete: bool) -> float:
    logit = model.stop_logit(hidden[:1])[0].double()
    return -float(F.logsigmoid(logit if complete else -logit))
