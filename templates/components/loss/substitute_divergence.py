"""The Poisson divergence of the tokens that are to be substituted from the predicted rate.

Paper: arXiv:2506.09018 (Edit Flows)
Also known as: substitution_loss, substitution_rate_loss
"""

from torch import Tensor

from ..ops import rate_divergence
from ..types import Substitutions

ELBO_TERM = True
MINIMISER = "expected_count"


def substitute_divergence(model, hidden: Tensor, target: Substitutions) -> Tensor:
    """m - n - n log m at each free token, (B, W): n = 1 if it is to be substituted, else 0.

    m is P(a position is not edited yet) times the head.
    """
    return rate_divergence(model.substitute_rate, hidden, *target)
