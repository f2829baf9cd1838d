"""-log p(token | its gap, x_t) of each missing token, one softmax for each gap.

Paper: arXiv:2506.09018 (Edit Flows, the inserted tokens)
Also known as: insert_cross_entropy, insertion_token_loss, q_ins
"""

from torch import Tensor

from ..ops import scatter, token_nats
from ..types import GapTokens

ELBO_TERM = True
ELBO_BESIDE = ("gap_counts", "expected_gap_counts")
MINIMISER = "posterior"


def per_gap_cross_entropy(model, hidden: Tensor, target: GapTokens) -> Tensor:
    """The sum over the missing tokens of each gap, (B, L)."""
    at = hidden[target.row, target.col]  # (N, D)
    nats = target.number * token_nats(model.gap_token_logits, at, target.token)
    return scatter(nats, target.row, target.col, hidden)
