"""-log p(gap, token | x_t) of each missing token, one softmax over all gaps and tokens.

Paper: arXiv:2606.10199 (DILM, the inserted tokens)
Also known as: mark_loss, joint_mark_loss, summed_gap_cross_entropy
"""

from torch import Tensor

from ..ops import gap_log_p
from ..types import GapTokens, Vocab

ELBO_TERM = True
ELBO_BESIDE = ("missing_count", "poisson_count")
MINIMISER = "posterior"


def joint_cross_entropy(model, hidden: Tensor, target: GapTokens, vocab: Vocab) -> Tensor:
    """The sum over the missing tokens, (B, 1); 0 if there is none.

    The rates of a model are those of any insertion, which another loss learns, times p.
    """
    log_p = gap_log_p(model.gap_token_logits, hidden, target, vocab)  # (N,)
    nats = -target.number.to(log_p) * log_p
    return log_p.new_zeros(len(hidden)).index_add(0, target.row, nats)[:, None]
