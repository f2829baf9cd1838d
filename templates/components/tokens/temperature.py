"""Drawn from the softmax.

Also known as: softmax, categorical, multinomial, gumbel, gumbel_max, sample, sampling, temp
    temperature: temp, tau, t, sampling_temperature
"""

from dataclasses import dataclass

from torch import Generator, Tensor

from ..ops import categorical

EXACT_AT = {"temperature": 1}


@dataclass(frozen=True)
class Temperature:
    """token ~ softmax(logits / temperature)."""

    temperature: float = 1.0  # below 1 sharpens; in [0.001, 1000]

    def __call__(self, logits: Tensor, rng: Generator) -> Tensor:  # (N, V) -> (N,)
        return categorical((logits / self.temperature).softmax(-1), rng)
