"""The law of `mixture_renoise`: low entropies keep their draws, the others are noise at t = 1."""

from itertools import pairwise, product
from math import prod

import torch

from xlm_spec.laws import Step, V

from ..process.mixture_law import Sampling, Tokens
from ..process.uniform_law import equal_steps

FEW_STEPS = {"steps": 3, "gamma": 0.9}


def steps(s: Sampling) -> list[Step]:
    return [renoised(s, t, to) for t, to in pairwise(equal_steps(s.parameters.steps))]


def renoised(s: Sampling, t: float, to: float) -> Step:
    """Each position by itself, once it is known which ones are kept."""
    own, table, rule = s.parameters, s.predictions(t), s.rule("tokens")
    power = 1 / (own.warmest * t + own.coldest * (1 - t))
    noise = s.noise(1.0)

    def step(state: Tokens) -> dict[Tokens, float]:
        sharp = [table[state][i] ** power for i in s.free]
        p = {i: a / a.sum() for i, a in zip(s.free, sharp, strict=True)}
        doubt = {i: -float(torch.xlogy(a, a).sum()) for i, a in p.items()}
        kept: list[int] = []
        for i in sorted(s.free, key=doubt.__getitem__):
            if sum(doubt[j] for j in kept) <= own.gamma:  # without its own, which is the largest
                kept.append(i)
        each = []
        for i, now in enumerate(state):
            if i not in s.free:
                drawn = torch.eye(V, dtype=torch.float64)[now]
            elif to == 0:
                drawn = torch.eye(V, dtype=torch.float64)[p[i].argmax()]
            else:
                drawn = rule(p[i][None])[0] if i in kept else noise
            each.append([(v, q) for v, q in enumerate(drawn.tolist()) if q > 0])
        return {
            tuple(v for v, _ in chosen): prod(q for _, q in chosen) for chosen in product(*each)
        }

    return step
