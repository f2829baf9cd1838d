"""The law of `elbo_clipped`: `elbo`, clipped at a maximum."""

from xlm_spec.laws import Counting


def weight(count: Counting, n: int, k: int, t: float, *, largest: float) -> float | None:
    elbo = count.elbo(n, k, t)
    return None if elbo is None else min(elbo, largest)
