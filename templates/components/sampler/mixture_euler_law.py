"""The law of `mixture_euler`: jumps at the rates of the reverse process, then x_0."""

from itertools import pairwise, product
from math import prod

import torch

from xlm_spec.laws import V

from ..process.mixture_law import Sampling, Tokens
from ..process.uniform_law import equal_steps

FEW_STEPS = {"steps": 3}


def steps(s: Sampling) -> list:
    return [euler_step(s, t, to) for t, to in pairwise(equal_steps(s.parameters.steps))]


def euler_step(s: Sampling, t: float, to: float):
    """Each position by itself; the tokens follow the token rule."""
    alpha, mass, table = max(s.alpha(t), 1e-30), s.noise(t).tolist(), s.predictions(t)
    slope = float(s.m.schedule.dalpha(torch.tensor(t, dtype=torch.float64)))
    early, late = max(t - 1e-6, 0.0), min(t + 1e-6, 1.0)
    rise = ((s.noise(late) - s.noise(early)) / (late - early)).tolist()
    arrive = [d - slope / alpha * m for d, m in zip(rise, mass, strict=True)]
    rule = s.rule("tokens")

    def position(now: int, x_0: list[float]) -> list[float]:
        q = [alpha * x + m for x, m in zip(x_0, mass, strict=True)]
        if to > 0:
            p = [(t - to) * arrive[now] * q[y] / q[now] * (y != now) for y in range(V)]
            p[now] = max(0.0, 1 - sum(p))
        else:
            p = [x_0[y] * (mass[now] + alpha * (y == now)) for y in range(V)]
        weights = torch.tensor(p, dtype=torch.float64)
        return rule(weights / weights.sum()).tolist()

    def step(state: Tokens) -> dict[Tokens, float]:
        each = [position(now, x.tolist()) for now, x in zip(state, table[state], strict=True)]
        choices = [[(v, q) for v, q in enumerate(p) if q > 0] for p in each]
        return {
            tuple(v for v, _ in chosen): prod(q for _, q in chosen) for chosen in product(*choices)
        }

    return step
