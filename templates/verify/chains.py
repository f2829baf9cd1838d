"""Laws of chains of states, enumerated."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

S = TypeVar("S")
K = TypeVar("K")
Step = Callable[[S], dict[S, float]]  # the law of what comes next


def moves(start: S, steps: Iterable[Step], shown: Callable[[S], K]) -> Iterator[dict]:
    """The law of each move, (before, after), as `shown` shows states."""
    mixed = {start: 1.0}
    for step in steps:
        move: dict[tuple[K, K], float] = {}
        after: dict[S, float] = {}
        for state, chance in mixed.items():
            for new, more in step(state).items():
                if chance * more > 0:
                    pair = shown(state), shown(new)
                    move[pair] = move.get(pair, 0.0) + chance * more
                    after[new] = after.get(new, 0.0) + chance * more
        yield move
        mixed = after


def mixture(laws: Iterable[tuple[float, dict[S, float]]]) -> dict[S, float]:
    """One of several laws, each with its chance."""
    out: dict[S, float] = {}
    for chance, law in laws:
        for state, more in law.items():
            out[state] = out.get(state, 0.0) + chance * more
    return out
