"""The law of `remask` (ReMDM, arXiv:2503.00307): equal steps of time, with remasking."""

from collections.abc import Callable, Iterator
from itertools import pairwise, product
from math import prod

from xlm_spec.laws import MASK, Step

from ..process.mask_law import VOCABULARY, Distribution, Sampling, State

FEW_STEPS = {"steps": 4}
Sigma = Callable[[float, list[float | None]], list[float]]  # see protocols.RemaskingLaw


def steps(s: Sampling) -> list[Step]:
    return [reverse_step(s, t, to, s.rule("remasking")) for t, to in time_grid(s.parameters.steps)]


def time_grid(steps: int, first: float = 1.0, last: float = 0.0) -> Iterator[tuple[float, float]]:
    """Equal steps of time, from the first down to the last."""
    return pairwise(last + (first - last) * (1 - k / steps) for k in range(steps + 1))


def reverse_step(s: Sampling, t: float, to: float, sigma: Sigma | None = None) -> Step:
    """From t to an earlier time: remasks with probability sigma, and unmasks to compensate."""
    alpha_t, alpha_s = s.alpha(t), s.alpha(to)
    largest = min(1.0, (1 - alpha_s) / alpha_t) if alpha_t > 0 else 1.0

    def step(state: State) -> Distribution:
        tokens, confidence = state
        predictions = s.predictions_at(t)
        known = [None if tokens[i] == MASK else confidence[i] for i in s.free]
        values = sigma(largest, known) if sigma else [0.0] * len(known)
        remask = dict(zip(s.free, values, strict=True))
        choices: list[list[tuple[int, float, float]]] = []
        for i, v in enumerate(tokens):
            if i not in s.free:
                choices.append([(v, confidence[i], 1.0)])
            elif v != MASK:
                choices.append([(v, confidence[i], 1 - remask[i]), (MASK, 0.0, remask[i])])
            else:
                unmask = (alpha_s - (1 - remask[i]) * alpha_t) / (1 - alpha_t)
                p, sampled = predictions.p[tokens][i], predictions.sampled[tokens][i]
                each = [(w, p[w], unmask * sampled[w]) for w in VOCABULARY]
                choices.append([(MASK, 0.0, 1 - unmask), *each])
        out: Distribution = {}
        for picked in product(*([c for c in cs if c[2] > 0] for cs in choices)):
            new, certainty, factors = zip(*picked, strict=True)
            out[new, certainty] = out.get((new, certainty), 0.0) + prod(factors)
        return out

    return step
