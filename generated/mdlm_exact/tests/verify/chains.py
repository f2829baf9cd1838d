"""Laws of chains of states, enumerated, and how surprising the moves of a sampler are by them."""

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from math import inf
from typing import TypeVar

import torch
from torch import Tensor

from .world import PAD, surprise

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


def furthest_off(states: list, laws: list[dict]) -> float:
    """How surprising the most surprising move is; a sampler that is done early stays as it is."""
    if len(laws) == 1:
        states = [states[0], states[-1]]
    states = [*states, *[states[-1]] * (1 + len(laws) - len(states))]
    if len(states) > 1 + len(laws):
        return inf  # it goes on where it should be done
    return max(
        surprise(*counted(pair, law)) for pair, law in zip(pairwise(states), laws, strict=True)
    )


def counted(move: tuple, law: dict) -> tuple[Tensor, Tensor]:
    """How often each move of a law was made, or any other; and its probability."""
    before, after = (s.tokens.masked_fill(~s.valid, PAD)[:, 1:] for s in move)
    lines, n = torch.cat([before, after], 1).unique(dim=0, return_counts=True)
    place = {pair: i for i, pair in enumerate(law)}
    found = torch.zeros(len(law) + 1, dtype=torch.float64)
    for line, count in zip(lines.tolist(), n.tolist(), strict=True):
        pair = tuple(tuple(v for v in half if v != PAD) for half in halves(line))
        found[place.get(pair, len(law))] += count
    return found, torch.tensor([*law.values(), 0.0], dtype=torch.float64)


def halves(line: list[int]) -> tuple[list[int], list[int]]:
    return line[: len(line) // 2], line[len(line) // 2 :]
