"""The law of `cross_entropy`: minus the sum of log p of the targets."""

from torch import Tensor


def nats(model, hidden: Tensor, targets: list[tuple[int, int]]) -> float:
    log_p = model.token_logits(hidden).double().log_softmax(-1)  # (L, V)
    return -sum(float(log_p[j, v]) for j, v in targets)
