"""The law of `elbo`: the ELBO weight of the term, unchanged."""

from xlm_spec.laws import Counting


def weight(count: Counting, n: int, k: int, t: float) -> float | None:
    return count.elbo(n, k, t)
