"""A sequence is complete with probability p(complete | x_t).

Also known as: sampled, sample, bernoulli, stochastic, random
"""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

EXACT_AT = {}  # at any values


@dataclass(frozen=True)
class DrawnStop:
    """Complete with probability p(complete | x_t)."""

    def __call__(self, logit: Tensor, rng: Generator) -> Tensor:  # (B,) -> (B,) bool
        u = torch.rand(logit.shape, generator=rng, device=logit.device)
        return u < torch.sigmoid(logit)
