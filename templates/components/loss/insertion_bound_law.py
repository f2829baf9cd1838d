"""The law of `insertion_bound`: gap cross-entropy minus log n, for n missing tokens."""

from math import log

from torch import Tensor

from ..target.gap_tokens_law import Gaps
from .gap_cross_entropy_law import nats as gap_cross_entropy


def nats(model, hidden: Tensor, targets: Gaps) -> float:
    return gap_cross_entropy(model, hidden, targets) - log(max(sum(targets.number), 1))
