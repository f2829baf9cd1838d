"""The loss of editflows_pairs.

Loss count_divergence and per_gap_cross_entropy and delete_divergence and substitute_divergence and
cross_entropy.
"""

from torch import Tensor

from .ops import rate_divergence, scatter, token_nats
from .types import Deletions, GapCounts, GapTokens, Substitutions, TokenPositions


def count_divergence(model, hidden: Tensor, target: GapCounts) -> Tensor:
    """m - n - n log m at each open gap, (B, L), for n missing tokens and the prediction m.

    m is P(a token is missing) times the head: m = O(t) keeps the weighted sum finite at t = 0.
    The Poisson constant -n makes the weighted sum a bound that is equal at the minimum: which of
    the n tokens comes first does not depend on x. That of the Bregman divergence, n log n - n, is
    larger by the mean of n log n (FlexMDM, arXiv:2509.01025).
    """
    return rate_divergence(model.gap_count, hidden, *target)


def per_gap_cross_entropy(model, hidden: Tensor, target: GapTokens) -> Tensor:
    """The sum over the missing tokens of each gap, (B, L)."""
    at = hidden[target.row, target.col]  # (N, D)
    nats = target.number * token_nats(model.gap_token_logits, at, target.token)
    return scatter(nats, target.row, target.col, hidden)


def delete_divergence(model, hidden: Tensor, target: Deletions) -> Tensor:
    """m - n - n log m at each free token, (B, W): n = 1 if it is to be deleted, else 0.

    m is P(a position is not edited yet) times the head.
    """
    return rate_divergence(model.delete_rate, hidden, *target)


def substitute_divergence(model, hidden: Tensor, target: Substitutions) -> Tensor:
    """m - n - n log m at each free token, (B, W): n = 1 if it is to be substituted, else 0.

    m is P(a position is not edited yet) times the head.
    """
    return rate_divergence(model.substitute_rate, hidden, *target)


def cross_entropy(model, hidden: Tensor, target: TokenPositions) -> Tensor:
    """-log p(token | x_t) per position, (B, L); logits only at the target positions."""
    at = hidden[target.row, target.col]  # (N, D)
    nats = token_nats(model.token_logits, at, target.token)  # (N,)
    return scatter(nats, target.row, target.col, hidden)
