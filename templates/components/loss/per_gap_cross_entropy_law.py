"""The law of `per_gap_cross_entropy`: minus the log of a softmax of each missing token's gap."""

from torch import Tensor

from ..target.gap_tokens_law import Gaps


def nats(model, hidden: Tensor, targets: Gaps) -> float:
    log_p = model.gap_token_logits(hidden).double().log_softmax(-1)
    pairs = zip(targets.missing, targets.number, strict=True)
    return -sum(n * float(log_p[gap, token]) for (gap, token), n in pairs)
