"""The law of `mixture`: a corrupted token is a mask, or any token. Below: its samplers."""

from itertools import product
from math import pi, prod, sin

import torch
from torch import Tensor

from xlm_spec.laws import EOS, LONGEST, MASK, SIZE, V

from .uniform_law import Sampling as Uniform

Tokens = tuple[int, ...]
WORDS = (*range(SIZE), EOS)


def tokens_of(state: Tokens) -> Tokens:
    return state


class Sampling(Uniform):
    """The same with another noise."""

    def noise(self, t: float) -> Tensor:
        """Masks, and random tokens: P(x_t = y | x_0) for each y other than x_0, (V,)."""
        masks, random = PATHS[type(self.m.schedule).__name__](self.m.schedule, t)
        out = torch.zeros(V, dtype=torch.float64)
        out[list(WORDS)] = random / len(WORDS)
        out[MASK] = masks
        return out


def hybrid(schedule, t: float) -> tuple[float, float]:
    """GIDD: tau and c over 1 + c, c = 2 p / (1 - p) sqrt(tau (1 - tau)), tau = sin(pi t / 2)^2."""
    p, tau = schedule.uniform, sin(pi * t / 2) ** 2
    c = 2 * p / (1 - p) * (tau * (1 - tau)) ** 0.5
    return tau / (1 + c), c / (1 + c)


def stationary(schedule, t: float) -> tuple[float, float]:
    """XDLM: 1 - alpha is split into 1 - k and k."""
    noise = 1 - (1 - t) ** schedule.flow_power
    return (1 - schedule.share) * noise, schedule.share * noise


PATHS = {"HybridSchedule": hybrid, "StationarySchedule": stationary}


def START(s: Sampling) -> dict[Tokens, float]:
    """The distribution of the first states: the noise at t = 1 at every position."""
    p = {v: float(q) for v, q in enumerate(s.noise(1.0)) if q > 0}
    return {z: prod(p[v] for v in z) for z in product(p, repeat=LONGEST)}
