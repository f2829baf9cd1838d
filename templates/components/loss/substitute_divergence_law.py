"""The law of `substitute_divergence`: that of `delete_divergence`, with the other head."""

from types import SimpleNamespace

from torch import Tensor

from .delete_divergence_law import poisson_nats


def nats(model, hidden: Tensor, targets: list[tuple[int, bool]], state: SimpleNamespace) -> float:
    return poisson_nats(model.substitute_rate, hidden, targets, state)
