"""The law of `threshold`: stops if the predicted probability is above it."""

STRICT = {"threshold": 0.5}


def stop_probability(rule, p: float) -> float:
    return float(p > rule.threshold)
