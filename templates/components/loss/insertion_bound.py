"""-log n p(gap, token | x_t) for n missing tokens, which may be inserted in any order.

Paper: arXiv:2505.05755 (ILM, the model; the bound is derived here)
Also known as: order_bound, insertion_nelbo, insertion_elbo
"""

from torch import Tensor

from ..ops import gap_log_p
from ..types import GapTokens, Vocab

ELBO_TERM = True
ELBO_BESIDE = ("stop",)


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
