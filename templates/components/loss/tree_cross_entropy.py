"""-log p(gap, token), weighted by the shares of each gap's tokens; finished gaps have no term.

Paper: arXiv:1902.03249 (Insertion Transformer, sequence termination)
Also known as: sequence_termination, sequence_finalization, joint_slot_loss
"""

from torch import Tensor

from ..ops import gap_log_p, scatter
from ..types import GapShares, GapTokens, Vocab


def tree_cross_entropy(model, hidden: Tensor, target: GapShares, vocab: Vocab) -> Tensor:
    """-1/G sum over the G unfinished gaps of sum_v share_v log p(gap, v), (B, 1); 0 if G = 0.

    One softmax over all open gaps and tokens. Whether the whole sequence is complete is another
    target (`stop`); with `share_cross_entropy` each gap is finished by itself (arXiv:1902.03249).
    """
    share = scatter(target.share, target.row, target.col, hidden)
    unfinished = share > 0  # (B, L)
    gaps = GapTokens(*target[:3], target.empty | unfinished, target.share)
    log_p = gap_log_p(model.gap_token_logits, hidden, gaps, vocab)  # (N,)
    number = unfinished.sum(1)[target.row]  # (N,)
    nats = -target.share / number * log_p
    return log_p.new_zeros(len(hidden)).index_add(0, target.row, nats)[:, None]
