"""The law of `count_divergence`: a Poisson log-likelihood, up to log n!, above that of the mean 1.

The head predicts in units of the probability that a token is missing.
"""

from math import log
from types import SimpleNamespace

from torch import Tensor

from ..target.gap_counts_law import Counts


def nats(model, hidden: Tensor, targets: Counts, state: SimpleNamespace) -> float:
    mean = (float(state.dropped_p) * model.gap_count(hidden).double()).tolist()
    return sum(mean[a] - targets.count[a] * (1 + log(mean[a])) for a in targets.open)
