"""The law of `weighted_stop_cross_entropy`: minus log p of the stop target, weighted by class."""

import torch.nn.functional as F
from torch import Tensor


def nats(model, hidden: Tensor, is_complete: bool, *, complete: float) -> float:
    logit = model.stop_logit(hidden[:1])[0].double()
    if is_complete:
        return -complete * float(F.logsigmoid(logit))
    return -(1 - complete) * float(F.logsigmoid(-logit))
