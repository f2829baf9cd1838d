"""The law of `delete_divergence`: a Poisson log-likelihood of one deletion or none per token.

Above that of the mean 1. The head predicts in units of the probability of an edit that remains.
"""

from collections.abc import Callable
from math import log
from types import SimpleNamespace

from torch import Tensor


def nats(model, hidden: Tensor, targets: list[tuple[int, bool]], state: SimpleNamespace) -> float:
    return poisson_nats(model.delete_rate, hidden, targets, state)


def poisson_nats(
    head: Callable, hidden: Tensor, targets: list[tuple[int, bool]], state: SimpleNamespace
) -> float:
    mean = (float(state.dropped_p) * head(hidden).double()).tolist()
    return sum(mean[j] - edited * (1 + log(mean[j])) for j, edited in targets)
