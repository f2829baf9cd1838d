"""The law of `placeholder_cross_entropy`: minus log p of each number, the last class if larger."""

from torch import Tensor

from ..target.gap_counts_law import Counts


def nats(model, hidden: Tensor, targets: Counts) -> float:
    log_p = model.placeholder_logits(hidden).double().log_softmax(-1)
    last = log_p.shape[-1] - 1
    return -sum(float(log_p[a, min(last, int(targets.count[a]))]) for a in targets.open)
