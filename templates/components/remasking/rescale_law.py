"""The law of `rescale` (ReMDM, arXiv:2503.00307)."""

from collections.abc import Sequence

STRICT, LOOSE = {"share": 0.2}, {"share": 0.0}


def sigma(rule, largest: float, confidence: Sequence[float | None]) -> list[float]:
    return [rule.share * largest] * len(confidence)
