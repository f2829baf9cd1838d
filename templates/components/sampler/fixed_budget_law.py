"""The law of `fixed_budget`: each step unmasks the n masked positions with the highest scores."""

from itertools import combinations

import torch

from xlm_spec.laws import LONGEST, Step, mixed

from ..process.mask_law import Distribution, Sampling, State

FEW_STEPS = {"tokens_per_step": 2}


def steps(s: Sampling) -> list[Step]:
    n, score = s.parameters.tokens_per_step, s.rule("order")
    if score is None:
        return any_order(s, n)

    def step(state: State) -> Distribution:
        predictions, masked = s.predictions(state), s.masked(state)
        p = torch.tensor(predictions.p[state[0]], dtype=torch.float64)
        best = score(p, torch.arange(LONGEST)).tolist()
        return predictions.unmask(state, tuple(sorted(masked, key=lambda i: -best[i])[:n]))

    return [step] * LONGEST


def any_order(s: Sampling, n: int) -> list[Step]:
    """n positions per step, all sets equally likely."""

    def step(state: State) -> Distribution:
        masked, predictions = s.masked(state), s.predictions(state)
        sets = [*combinations(masked, min(n, len(masked)))]
        return mixed((1 / len(sets), predictions.unmask(state, a)) for a in sets)

    return [step] * LONGEST
