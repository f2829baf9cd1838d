"""The law of `confidence` (ReMDM, arXiv:2503.00307): a softmax of -p over the unmasked tokens."""

from collections.abc import Sequence
from math import exp


def sigma(rule, largest: float, confidence: Sequence[float | None]) -> list[float]:
    weight = [0.0 if p is None else exp(-p) for p in confidence]
    return [largest * w / sum(weight) if sum(weight) else 0.0 for w in weight]
