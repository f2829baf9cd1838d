"""The law of `tree_cross_entropy`: one softmax over all open gaps and tokens, dense."""

from torch import Tensor

from ..target.gap_shares_law import Shares


def nats(model, hidden: Tensor, targets: Shares) -> float:
    """The mean over the gaps in which tokens are missing; 0 if there is none."""
    unfinished = sorted({gap for gap, _, _ in targets.missing})
    if not unfinished:
        return 0.0
    gaps = sorted([*targets.empty, *unfinished])
    scores = model.gap_token_logits(hidden).double()[gaps]  # (gaps, V)
    log_p = scores.flatten().log_softmax(0).view_as(scores)
    each = [share * float(log_p[gaps.index(gap), v]) for gap, v, share in targets.missing]
    return -sum(each) / len(unfinished)
