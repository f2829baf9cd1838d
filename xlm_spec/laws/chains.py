"""Enumerated distributions of Markov chains, and a test of a sampler's moves against them."""

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from math import inf
from typing import TypeVar

import torch
from torch import Tensor

from .distinct_rows import distinct_rows
from .toy_distribution import PAD, surprise

S = TypeVar("S")
K = TypeVar("K")
Step = Callable[[S], dict[S, float]]  # the distribution of the next state


def moves(
    start: S | dict[S, float],
    steps: Iterable[tuple[Step, Step | None]],
    tokens_of: Callable[[S], K],
) -> Iterator[dict]:
    """The distribution of each move, (before, after), with states mapped by `tokens_of`.

    `start` is the first state, or its distribution. Each step may have a correction after it. A
    step that changes no state comes after the end of the sampler, which does not correct there.
    """
    states = start if isinstance(start, dict) else {start: 1.0}
    for step, correction in steps:
        move: dict[tuple[K, K], float] = {}
        after: dict[S, float] = {}
        ends = {state: step(state) for state in states}
        if correction and any(end != {state: 1.0} for state, end in ends.items()):
            ends = {s: mixed((p, correction(n)) for n, p in e.items()) for s, e in ends.items()}
        for state, p in states.items():
            for new, p_new in ends[state].items():
                if p * p_new > 0:
                    pair = tokens_of(state), tokens_of(new)
                    move[pair] = move.get(pair, 0.0) + p * p_new
                    after[new] = after.get(new, 0.0) + p * p_new
        yield move
        states = after


def mixed(distributions: Iterable[tuple[float, dict[S, float]]]) -> dict[S, float]:
    """The mixture of several distributions, each with its weight."""
    out: dict[S, float] = {}
    for weight, distribution in distributions:
        for state, p in distribution.items():
            out[state] = out.get(state, 0.0) + weight * p
    return out


def largest_surprise(states: list, distributions: list[dict]) -> float:
    """The largest surprise of all moves; the last state repeats if a sampler finishes early."""
    if len(distributions) == 1:
        states = [states[0], states[-1]]
    states = [*states, *[states[-1]] * (1 + len(distributions) - len(states))]
    if len(states) > 1 + len(distributions):
        return inf  # more steps than enumerated
    return max(
        surprise(*count_moves(pair, p))
        for pair, p in zip(pairwise(states), distributions, strict=True)
    )


def count_moves(move: tuple, distribution: dict) -> tuple[Tensor, Tensor]:
    """Counts of each move of a distribution, the last entry for any other; its probabilities."""
    before, after = (s.tokens.masked_fill(~s.valid, PAD)[:, 1:] for s in move)
    lines, which = distinct_rows(torch.cat([before, after], 1))
    index = {pair: i for i, pair in enumerate(distribution)}
    counts = torch.zeros(len(distribution) + 1, dtype=torch.float64)
    for line, count in zip(lines.tolist(), which.bincount().tolist(), strict=True):
        pair = tuple(tuple(v for v in half if v != PAD) for half in halves(line))
        counts[index.get(pair, len(distribution))] += count
    return counts, torch.tensor([*distribution.values(), 0.0], dtype=torch.float64)


def halves(line: list[int]) -> tuple[list[int], list[int]]:
    return line[: len(line) // 2], line[len(line) // 2 :]
