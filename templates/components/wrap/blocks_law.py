"""The law of `blocks`: from left to right, `size` positions each."""

STRICT = LOOSE = {"size": 2}


def windows(wrap, n: int) -> list[tuple[int, ...]]:
    return [tuple(range(i, min(i + wrap.size, n))) for i in range(0, n, wrap.size)]
