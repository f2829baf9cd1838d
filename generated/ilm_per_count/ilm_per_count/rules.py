"""Rules of the samplers of ilm_per_count.

Tokens top_k and temperature, stop threshold and drawn.
"""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from .ops import categorical


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


@dataclass(frozen=True)
class StopAbove:
    """Complete where p(complete | x_t) > threshold (ILM, arXiv:2505.05755)."""

    threshold: float = 0.5  # complete if p(complete) is larger; in [0, 1]

    def __call__(self, logit: Tensor, rng: Generator) -> Tensor:  # (B,) -> (B,) bool
        return torch.sigmoid(logit) > self.threshold


@dataclass(frozen=True)
class DrawnStop:
    """Complete with probability p(complete | x_t)."""

    def __call__(self, logit: Tensor, rng: Generator) -> Tensor:  # (B,) -> (B,) bool
        u = torch.rand(logit.shape, generator=rng, device=logit.device)
        return u < torch.sigmoid(logit)
