"""The law of `scheduled_budget`: each step unmasks a number of masks, those of the highest scores.

With noise the positions are drawn without replacement, with weights exp(score / noise).
"""

from itertools import combinations, permutations
from math import comb, exp, floor

import torch

from xlm_spec.laws import LONGEST, Step, mixed

from ..process.mask_law import Distribution, Positions, Sampling, State

FEW_STEPS = {"steps": 4}


def steps(s: Sampling) -> list[Step]:
    score, noise = s.rule("order"), s.parameters.noise

    def step_of(i: int) -> Step:
        def step(state: State) -> Distribution:
            masked, predictions = s.masked(state), s.predictions(state)
            p = torch.tensor(predictions.p[state[0]], dtype=torch.float64)
            best = score(p, torch.arange(LONGEST)).tolist() if score else None
            return mixed(
                (q * r, predictions.unmask(state, chosen))
                for number, q in numbers(s, i, len(masked)).items()
                for chosen, r in (
                    drawn_sets({i: best[i] for i in masked}, number, noise)
                    if best
                    else equally_likely(masked, number)
                ).items()
            )

        return step

    return [step_of(i) for i in range(s.parameters.steps)]


def numbers(s: Sampling, i: int, left: int) -> dict[int, float]:
    """The distribution of the number that step i unmasks, if `left` masks are left."""
    n, of, kind = len(s.free), s.parameters.steps, s.parameters.counts
    t, to = (1 - (1 - s.parameters.end) * k / of for k in (i, i + 1))
    share = (s.alpha(to) - s.alpha(t)) / (1 - s.alpha(t))
    if i == of - 1 or left == 0:
        return {left: 1.0}
    if kind == "binomial":
        return {k: comb(left, k) * share**k * (1 - share) ** (left - k) for k in range(left + 1)}
    remain = max(1, min(left - 1, floor(n * (1 - s.alpha(to)) + 1e-9)))
    number = {
        "even": n // of + (1 if i < n % of else 0),
        "floor": floor(left * share + 1e-9),
        "round": round(left * share),
        "masks_left": left - remain,
    }
    return {number[kind]: 1.0}


def drawn_sets(score: dict[int, float], number: int, noise: float) -> dict[Positions, float]:
    """The sets of positions with the `number` highest scores after Gumbel noise."""
    if noise == 0:
        best = sorted(score, key=lambda i: -score[i])[:number]
        return {tuple(sorted(best)): 1.0}
    out: dict[Positions, float] = {}
    for drawn in permutations(score, number):
        p, left = 1.0, set(score)
        for i in drawn:  # one after the other
            p *= 1 / sum(exp((score[j] - score[i]) / noise) for j in left)
            left.remove(i)
        out[tuple(sorted(drawn))] = out.get(tuple(sorted(drawn)), 0.0) + p
    return out


def equally_likely(masked: Positions, number: int) -> dict[Positions, float]:
    sets = [*combinations(masked, number)]
    return {a: 1 / len(sets) for a in sets}
