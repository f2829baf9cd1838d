"""The Poisson divergence of the tokens that are to be deleted from the predicted rate.

Paper: arXiv:2506.09018 (Edit Flows)
Also known as: deletion_loss, deletion_rate_loss
"""

from torch import Tensor

from ..ops import rate_divergence
from ..types import Deletions

ELBO_TERM = True
MINIMISER = "expected_count"


def delete_divergence(model, hidden: Tensor, target: Deletions) -> Tensor:
    """m - n - n log m at each free token, (B, W): n = 1 if it is to be deleted, else 0.

    m is P(a position is not edited yet) times the head.
    """
    return rate_divergence(model.delete_rate, hidden, *target)
