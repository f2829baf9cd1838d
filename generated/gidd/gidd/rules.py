"""Rules of the samplers of gidd: tokens temperature."""

from dataclasses import dataclass

from torch import Generator, Tensor

from .ops import categorical


@dataclass(frozen=True)
class Temperature:
    """token ~ softmax(logits / temperature)."""

    temperature: float = 1.0  # below 1 sharpens; in [0.001, 1000]

    def __call__(self, logits: Tensor, rng: Generator) -> Tensor:  # (N, V) -> (N,)
        return categorical((logits / self.temperature).softmax(-1), rng)
