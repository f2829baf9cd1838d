"""The law of `drawn`: stops with the predicted probability."""


def stop_probability(rule, p: float) -> float:
    return p
