"""The law of `gap_cross_entropy`: one softmax over all open gaps and tokens, dense."""

from torch import Tensor

from ..target.gap_tokens_law import Gaps


def nats(model, hidden: Tensor, targets: Gaps) -> float:
    """-1/n of the sum of log p of the n missing tokens; 0 if no token is missing."""
    pairs = zip(targets.missing, targets.number, strict=True)
    if not targets.missing:
        return 0.0
    scores = model.gap_token_logits(hidden).double()[targets.open]  # (gaps, V)
    log_p = scores.flatten().log_softmax(0).view_as(scores)
    total = sum(n * float(log_p[targets.open.index(gap), token]) for (gap, token), n in pairs)
    return -total / sum(targets.number)
