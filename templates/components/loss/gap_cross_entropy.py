"""-log p(gap, token | x_t), one softmax over all pairs, averaged over the missing tokens.

Paper: arXiv:2505.05755 (ILM)
Also known as: insertion_loss, insertion_ce, joint_ce, soft_ce_joint, ilm
Differs:
    ilm: with a prompt the authors' softmax runs over the prompt's gaps too, and their loss is
        higher
"""

from torch import Tensor

from ..ops import gap_log_p
from ..types import GapTokens, Vocab

ELBO_LOSS = "insertion_bound"


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
