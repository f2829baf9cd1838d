"""The law of `entropy_bounded`: the most certain positions, as many as the bound allows.

The bound holds for the sum of their entropies minus the largest.
"""

import torch

from xlm_spec.laws import LONGEST, Step

from ..process.mask_law import Distribution, Sampling, State

FEW_STEPS = {"gamma": 0.9}


def steps(s: Sampling) -> list[Step]:
    def step(state: State) -> Distribution:
        predictions, masked = s.predictions(state), s.masked(state)
        p = torch.tensor(predictions.p[state[0]], dtype=torch.float64)
        entropy = (-torch.xlogy(p, p).sum(-1)).tolist()
        best = {i: sorted(p[i].tolist(), reverse=True) for i in masked}
        doubt = {
            "entropy": lambda i: entropy[i],
            "confidence": lambda i: -best[i][0],
            "margin": lambda i: best[i][1] - best[i][0],
        }[s.parameters.proxy]
        certain = sorted(masked, key=doubt)
        sets = [[entropy[i] for i in certain[:n]] for n in range(1, 1 + len(certain))]
        fits = [len(each) for each in sets if sum(each) - max(each) <= s.parameters.gamma]
        return predictions.unmask(state, tuple(certain[: max(fits, default=1)]))

    return [step] * LONGEST
