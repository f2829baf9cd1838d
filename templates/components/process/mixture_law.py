"""The law of `mixture`: a corrupted token is a mask, or any token. Below: its samplers."""

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
        """GIDD: (t [y = mask] + c / K) / (1 + c), c = 2 p / (1 - p) sqrt(t (1 - t))."""
        p = self.m.config.noise.schedule.uniform
        c = 2 * p / (1 - p) * (t * (1 - t)) ** 0.5
        out = torch.zeros(V, dtype=torch.float64)
        out[list(WORDS)] = c / len(WORDS)
        out[MASK] = t
        return out / (1 + c)
