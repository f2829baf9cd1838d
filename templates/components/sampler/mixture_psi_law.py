"""The law of `mixture_psi`: a part of the posterior given x_0, the rest noise of x_0 anew."""

from itertools import pairwise, product
from math import prod

import torch

from xlm_spec.laws import Step, V

from ..process.mixture_law import Sampling, Tokens
from ..process.uniform_law import ANY, equal_steps

FEW_STEPS = {"steps": 3}


def steps(s: Sampling) -> list[Step]:
    return [psi_step(s, t, to) for t, to in pairwise(equal_steps(s.parameters.steps))]


def psi_step(s: Sampling, t: float, to: float) -> Step:
    """By Bayes: q(x_s | x_t, x_0) = q(x_t | x_s) q(x_s | x_0) / q(x_t | x_0)."""
    share = s.parameters.share
    one = torch.eye(V, dtype=torch.float64)
    q_t, q_s = (s.alpha(u) * one + s.noise(u) for u in (t, to))  # (x_0, x)
    a = s.alpha(t) / s.alpha(to)
    s_to_t = a * one + s.noise(t) - a * s.noise(to)  # (x_s, x_t)
    table, rule = s.predictions(t), s.rule("tokens")

    def each(now: int, x_0: torch.Tensor) -> dict[int, float]:
        likelihood = q_t[:, now]
        p = rule((x_0 * likelihood / (x_0 * likelihood).sum())[None])[0]
        possible = p > 0
        posterior = q_s * s_to_t[:, now] / likelihood[:, None]  # (x_0, x_s)
        mixed = share * posterior[possible] + (1 - share) * q_s[possible]
        out = p[possible] @ mixed
        return {v: float(out[v]) for v in ANY if out[v] > 0}

    def step(state: Tokens) -> dict[Tokens, float]:
        chosen = [
            each(now, table[state][i]).items() if i in s.free else [(now, 1.0)]
            for i, now in enumerate(state)
        ]
        return {tuple(v for v, _ in pick): prod(q for _, q in pick) for pick in product(*chosen)}

    return step
