"""The law of `tau_leaping`: a binomial number of masks is unmasked, a Poisson number inserted."""

from itertools import combinations, pairwise, product
from math import comb, exp, factorial

import torch

from xlm_spec.laws import LONGEST, MASK, SIZE, Step, mixed

from ..process.drop_then_mask_law import Predictions, Sampling, Tokens

FEW_STEPS = {"steps": 4}
Distribution = dict[Tokens, float]


def steps(s: Sampling) -> list[Step]:
    n = s.parameters.steps
    times = [1 - i / (n - 1) for i in range(n - 1)] + [1e-3 / n, 0.0]
    return [step_of(s, t, later) for t, later in pairwise(times)]


def step_of(sampling: Sampling, t: float, s: float) -> Step:
    at = [sampling.alpha_of("schedule", u) for u in (t, s)]
    fires = (at[1] - at[0]) / (1 - at[0])
    at = [sampling.alpha_of("drop_schedule", u) for u in (t, s)]
    inserted = at[1] - at[0] if s > 0 else 0.0

    def step(state: Tokens) -> Distribution:
        known = sampling.at(t)
        masks = [i for i, v in enumerate(state) if v == MASK]
        moves = []
        for k in range(len(masks) + 1):
            p = comb(len(masks), k) * fires**k * (1 - fires) ** (len(masks) - k)
            sets = chosen(sampling, known, state, masks, k)
            moves += [(p / len(sets), unmasked(known, state, where)) for where in sets]
        means = [inserted * m for m in known.number[state]]
        counts = numbers(means, LONGEST - len(state))
        return grown(mixed(moves), counts)

    return step


def chosen(s: Sampling, known: Predictions, state: Tokens, masks: list[int], k: int) -> list:
    """The sets of k masks that are unmasked, equally likely: one with a score."""
    score = s.rule("order")
    if score is None:
        return [*combinations(masks, k)]
    best = score(known.p[state], torch.arange(1, LONGEST + 1)).tolist()
    return [tuple(sorted(masks, key=lambda i: -best[i])[:k])]


def unmasked(known: Predictions, state: Tokens, where: tuple[int, ...]) -> Distribution:
    """The states after a token is drawn at each of these positions."""
    out: Distribution = {}
    for drawn in product(range(SIZE), repeat=len(where)):
        new, p = [*state], 1.0
        for i, v in zip(where, drawn, strict=True):
            new[i], p = v, p * known.drawn[state][i][v]
        out[tuple(new)] = p
    return out


def numbers(means: list[float], room: int) -> dict[tuple[int, ...], float]:
    """How many masks fit into each gap, from left to right, with the probabilities."""
    out: dict[tuple[int, ...], float] = {(): 1.0}
    for mean in means:
        longer: dict[tuple[int, ...], float] = {}
        for before, p in out.items():
            left = room - sum(before)
            each = [exp(-mean) * mean**n / factorial(n) for n in range(left)]
            for n, q in enumerate([*each, 1 - sum(each)]):
                longer[*before, n] = p * q
        out = longer
    return out


def grown(states: Distribution, counts: dict[tuple[int, ...], float]) -> Distribution:
    """The states after these numbers of masks are inserted."""
    out: Distribution = {}
    for state, p in states.items():
        for number, q in counts.items():
            parts = [(MASK,) * number[0]]
            parts += [(v, *(MASK,) * n) for v, n in zip(state, number[1:], strict=True)]
            new = sum(parts, ())
            out[new] = out.get(new, 0.0) + p * q
    return out
