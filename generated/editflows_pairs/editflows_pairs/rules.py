"""Rules of the samplers of editflows_pairs: tokens temperature."""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor


@dataclass(frozen=True)
class Temperature:
    """token ~ softmax(logits / temperature)."""

    temperature: float = 1.0  # below 1 sharpens; in [0.001, 1000]

    def __call__(self, logits: Tensor, rng: Generator) -> Tensor:  # (N, V) -> (N,)
        p = (logits / self.temperature).softmax(-1)
        return torch.multinomial(p, 1, generator=rng)[:, 0]
