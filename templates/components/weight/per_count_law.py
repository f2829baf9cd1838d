"""The law of `per_count`: every number of corrupted tokens counts once."""

from xlm_spec.laws import Counting


def weight(count: Counting, n: int, k: int, t: float) -> float | None:
    return count.count_weight(n, k, t)
