"""The law of `per_masked`: the number of corrupted tokens divides the sum over them."""


def weight(count, n: int, k: int, t: float) -> float:
    return 1 / max(k, 1)
