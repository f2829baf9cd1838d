"""Rules of the samplers of llada: order random, tokens top_k and temperature."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from .ops import categorical


@dataclass(frozen=True)
class Random:
    """A uniform score: random order."""

    def __call__(
        self, head: Callable, hidden: Tensor, position: Tensor, rng: Generator
    ) -> Tensor:  # (N,)
        return torch.rand(len(hidden), generator=rng, device=hidden.device)


@dataclass(frozen=True)
class TopK:
    """token ~ softmax(logits / temperature), among the k likeliest (arXiv:1805.04833)."""

    k: int = 1  # number of tokens kept; 1 is greedy; in [1, inf)
    temperature: float = 1.0  # below 1 sharpens; in [0.001, 1000]

    def __call__(self, logits: Tensor, rng: Generator) -> Tensor:  # (N, V) -> (N,)
        best, ids = logits.topk(min(self.k, logits.shape[-1]), dim=-1)  # (N, k)
        p = (best / self.temperature).softmax(-1)
        return ids.gather(1, categorical(p, rng)[:, None])[:, 0]


@dataclass(frozen=True)
class Temperature:
    """token ~ softmax(logits / temperature)."""

    temperature: float = 1.0  # below 1 sharpens; in [0.001, 1000]

    def __call__(self, logits: Tensor, rng: Generator) -> Tensor:  # (N, V) -> (N,)
        return categorical((logits / self.temperature).softmax(-1), rng)
