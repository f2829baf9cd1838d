"""The law of `entropy_bounded`: the positions of lowest entropy, as many as the bound allows.

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
        certain = sorted(masked, key=lambda i: entropy[i])
        before = [sum(entropy[i] for i in certain[:n]) for n in range(len(certain))]
        fits = [n for n, joint in enumerate(before) if joint <= s.parameters.gamma]
        return predictions.unmask(state, tuple(certain[: 1 + max(fits, default=0)]))

    return [step] * LONGEST
