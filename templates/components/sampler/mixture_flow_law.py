"""The law of `mixture_flow`: each token is x_0 with the probability that it is clean by then."""

from itertools import pairwise, product
from math import prod

from ..process.mixture_law import WORDS, Sampling, Tokens
from ..process.uniform_law import equal_steps

FEW_STEPS = {"steps": 3}


def steps(s: Sampling) -> list:
    return [flow_step(s, t, to) for t, to in pairwise(equal_steps(s.parameters.steps))]


def flow_step(s: Sampling, t: float, to: float):
    """A noised position is still noised at `to` with probability (1 - alpha(to)) / (1 - alpha)."""
    remains = (1 - s.alpha(to)) / (1 - s.alpha(t))
    table, rule = s.predictions(t), s.rule("tokens")

    def step(state: Tokens) -> dict[Tokens, float]:
        each = []
        for now, x_0 in zip(state, rule(table[state]).tolist(), strict=True):
            p = {v: (1 - remains) * x_0[v] for v in WORDS}
            p[now] = p.get(now, 0.0) + remains
            each.append([(v, q) for v, q in p.items() if q > 0])
        return {
            tuple(v for v, _ in chosen): prod(q for _, q in chosen) for chosen in product(*each)
        }

    return step
