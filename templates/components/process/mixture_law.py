"""The law of `mixture`: a corrupted token is a mask, or any token. Below: its samplers."""

from math import pi, sin

import torch
from torch import Tensor

from xlm_spec.laws import EOS, LONGEST, MASK, SIZE, V

from .uniform_law import Sampling as Uniform

Tokens = tuple[int, ...]
WORDS = (*range(SIZE), EOS)
START: Tokens = (MASK,) * LONGEST


def tokens_of(state: Tokens) -> Tokens:
    return state


class Sampling(Uniform):
    """The same with another noise."""

    def noise(self, t: float) -> Tensor:
        """GIDD: (tau [y = mask] + c / K) / (1 + c) with c = 2 p / (1 - p) sqrt(tau (1 - tau))."""
        p, tau = self.m.config.noise.schedule.uniform, sin(pi * t / 2) ** 2
        c = 2 * p / (1 - p) * (tau * (1 - tau)) ** 0.5
        out = torch.zeros(V, dtype=torch.float64)
        out[list(WORDS)] = c / len(WORDS)
        out[MASK] = tau
        return out / (1 + c)
