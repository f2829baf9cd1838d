"""The law of `count_divergence`: a Poisson log-likelihood, up to log n!, above that of the mean 1.

Of a model whose head predicts the number itself.
"""

from math import log

from torch import Tensor

from ..target.gap_counts_law import Counts


def nats(model, hidden: Tensor, targets: Counts) -> float:
    mean = model.gap_count(hidden).double().tolist()
    return sum(mean[a] - targets.count[a] * (1 + log(mean[a])) for a in targets.open)
