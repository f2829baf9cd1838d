"""The law of `joint_cross_entropy`: `gap_cross_entropy` times the number of missing tokens."""

from torch import Tensor

from ..target.gap_tokens_law import Gaps
from .gap_cross_entropy_law import nats as mean_nats


def nats(model, hidden: Tensor, targets: Gaps) -> float:
    return sum(targets.number) * mean_nats(model, hidden, targets)
