"""The Poisson divergence of the number of missing tokens from the predicted one.

Paper: arXiv:2509.01025 (FlexMDM, with the constant of the Bregman divergence); derived here
Also known as: poisson, poisson_nll, gap_loss, insertion_rate_loss, expectation
Differs:
    expectation: the authors' constant is n log n, that of a Bregman divergence; the bound is then
        loose by its mean, with the same gradient
    distribution: a softmax over the number of missing tokens is not available; the nearest is
        `count_divergence`, which predicts its mean
"""

from torch import Tensor

from ..ops import rate_divergence
from ..types import GapCounts

ELBO_TERM = True
MINIMISER = "expected_count"


def count_divergence(model, hidden: Tensor, target: GapCounts) -> Tensor:
    """m - n - n log m at each open gap, (B, L), for n missing tokens and the prediction m.

    m is P(a token is missing) times the head: m = O(t) keeps the weighted sum finite at t = 0.
    The Poisson constant -n makes the weighted sum a bound that is equal at the minimum: which of
    the n tokens comes first does not depend on x. That of the Bregman divergence, n log n - n, is
    larger by the mean of n log n (FlexMDM, arXiv:2509.01025).
    """
    return rate_divergence(model.gap_count, hidden, *target)
