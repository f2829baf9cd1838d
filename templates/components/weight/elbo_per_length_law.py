"""The law of `elbo_per_length`: `elbo` over the number of free tokens."""

from xlm_spec.laws import Counting


def weight(count: Counting, n: int, k: int, t: float) -> float | None:
    elbo = count.elbo(n, k, t)
    return None if elbo is None else elbo / max(n, 1)
