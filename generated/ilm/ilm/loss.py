"""The loss of ilm: loss gap_cross_entropy and stop_cross_entropy and insertion_bound."""

import torch.nn.functional as F
from torch import Tensor

from .ops import gap_log_p
from .types import Complete, GapTokens, Vocab


def gap_cross_entropy(model, hidden: Tensor, target: GapTokens, vocab: Vocab) -> Tensor:
    """Cross-entropy against the normalised counts of missing tokens, (B, 1); 0 if there is none.

    -sum_(i,v) c_iv / n log p(i, v) = -1/n sum over the n missing tokens of log p(their gap, token)
    (ILM, arXiv:2505.05755). If all pairs differ, its minimum is the mean of log max(n, 1).
    With a prompt it is lower than the authors', whose softmax runs over the prompt's gaps too.
    """
    log_p = gap_log_p(model.gap_token_logits, hidden, target, vocab)  # (N,)
    none = log_p.new_zeros(len(hidden))  # (B,)
    number = target.number.to(log_p)
    missing = none.index_add(0, target.row, number)[target.row]  # (N,)
    return none.index_add(0, target.row, -number / missing * log_p)[:, None]


def stop_cross_entropy(model, hidden: Tensor, target: Complete) -> Tensor:
    """Binary cross-entropy of `nothing is missing`, (B, 1)."""
    logit = model.stop_logit(hidden[:, 0])  # (B,)
    complete = target.complete.to(logit.dtype)
    return F.binary_cross_entropy_with_logits(logit, complete, reduction="none")[:, None]


def insertion_bound(model, hidden: Tensor, target: GapTokens, vocab: Vocab) -> Tensor:
    """-1/n sum over the n missing tokens of log n p(their gap, token), (B, 1); 0 if there is none.

    Gap cross-entropy minus log n, with the same gradient. Each order of the tokens of x is a
    different chain of insertions: -log p(x) = -log sum over n! orders of p(order)
    <= mean over orders of -log n! p(order), the sum of these terms and of the stop terms over all
    numbers of missing tokens (`weight: per_count`). Equal for an exact model.
    """
    log_p = gap_log_p(model.gap_token_logits, hidden, target, vocab)  # (N,)
    none = log_p.new_zeros(len(hidden))  # (B,)
    number = target.number.to(log_p)
    missing = none.index_add(0, target.row, number)[target.row]  # (N,)
    nats = -number / missing * (log_p + missing.log())
    return none.index_add(0, target.row, nats)[:, None]
