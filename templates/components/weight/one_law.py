"""The law of `one`: no weight."""


def weight(count, n: int, k: int, t: float) -> float:
    return 1.0
