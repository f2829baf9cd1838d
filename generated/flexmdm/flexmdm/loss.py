"""The loss of flexmdm: loss cross_entropy and count_divergence."""

from torch import Tensor

from .ops import rate_divergence, scatter, token_nats
from .types import GapCounts, TokenPositions


def cross_entropy(model, hidden: Tensor, target: TokenPositions) -> Tensor:
    """-log p(token | x_t) per position, (B, L); logits only at the target positions."""
    at = hidden[target.row, target.col]  # (N, D)
    nats = token_nats(model.token_logits, at, target.token)  # (N,)
    return scatter(nats, target.row, target.col, hidden)


def count_divergence(model, hidden: Tensor, target: GapCounts) -> Tensor:
    """m - n - n log m at each open gap, (B, L), for n missing tokens and the prediction m.

    m is P(a token is missing) times the head: m = O(t) keeps the weighted sum finite at t = 0.
    The Poisson constant -n makes the weighted sum a bound that is equal at the minimum: which of
    the n tokens comes first does not depend on x. That of the Bregman divergence, n log n - n, is
    larger by the mean of n log n (FlexMDM, arXiv:2509.01025).
    """
    return rate_divergence(model.gap_count, hidden, *target)
