"""A sequence is complete where p(complete | x_t) exceeds a threshold.

Paper: arXiv:2505.05755 (ILM)
Also known as: stop_threshold, stopping_threshold, argmax (threshold: 0.5), greedy (threshold: 0.5)
    threshold: stop_threshold, stopping_threshold, tau, cutoff, p
"""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor


@dataclass(frozen=True)
class StopAbove:
    """Complete where p(complete | x_t) > threshold (ILM, arXiv:2505.05755)."""

    threshold: float = 0.5  # complete if p(complete) is larger; in [0, 1]

    def __call__(self, logit: Tensor, rng: Generator) -> Tensor:  # (B,) -> (B,) bool
        return torch.sigmoid(logit) > self.threshold
