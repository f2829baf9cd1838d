"""The law of `cap` (ReMDM, arXiv:2503.00307)."""

from collections.abc import Sequence

STRICT = {"rate": 0.3}


def sigma(rule, largest: float, confidence: Sequence[float | None]) -> list[float]:
    return [min(rule.rate, largest)] * len(confidence)
