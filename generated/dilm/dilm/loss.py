"""The loss of dilm: loss count_divergence and joint_cross_entropy."""

from torch import Tensor

from .ops import gap_log_p, rate_divergence
from .types import GapCounts, GapTokens, Vocab


def count_divergence(model, hidden: Tensor, target: GapCounts) -> Tensor:
    """m - n - n log m at each open gap, (B, L), for n missing tokens and the prediction m.

    m is P(a token is missing) times the head: m = O(t) keeps the weighted sum finite at t = 0.
    The Poisson constant -n makes the weighted sum a bound that is equal at the minimum: which of
    the n tokens comes first does not depend on x. That of the Bregman divergence, n log n - n, is
    larger by the mean of n log n (FlexMDM, arXiv:2509.01025).
    """
    return rate_divergence(model.gap_count, hidden, *target)


def joint_cross_entropy(model, hidden: Tensor, target: GapTokens, vocab: Vocab) -> Tensor:
    """The sum over the missing tokens, (B, 1); 0 if there is none.

    The rates of a model are those of any insertion, which another loss learns, times p.
    """
    log_p = gap_log_p(model.gap_token_logits, hidden, target, vocab)  # (N,)
    nats = -target.number.to(log_p) * log_p
    return log_p.new_zeros(len(hidden)).index_add(0, target.row, nats)[:, None]
