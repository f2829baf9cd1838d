"""Every number of corrupted tokens is equally likely; no time, no schedule.

Paper: arXiv:2502.09992 (LLaDA, its likelihood estimate); arXiv:2505.05755 (ILM)
Also known as: uniform_count, random_count, any_order
"""

import torch
from torch import Generator, Tensor

from ..ops import number_of_sets, random_subset
from ..types import Examples


def select_tokens(
    x: Examples,
    rng: Generator,
    *,
    min_corrupted: int = 0,  # fewest corrupted tokens per sequence; in [0, 1]
) -> Tensor:
    """k ~ U{min_corrupted, ..., n} of n free positions, every set equally likely, (B, L) bool."""
    free = x.valid & ~x.fixed
    n = free.sum(1, keepdim=True)
    u = torch.rand(len(n), 1, generator=rng, device=n.device)
    k = (min_corrupted + (u * (n - min_corrupted + 1)).long()).clamp(
        max=n
    )  # 0 in a row without free positions
    return random_subset(free, k, rng)


def likelihood(
    x: Examples,
    corrupted: Tensor,
    *,
    min_corrupted: int = 0,  # fewest corrupted tokens per sequence; in [0, 1]
) -> Tensor:
    """P(corrupted | x), (B, 1): 1 / ((n - min_corrupted + 1) C(n, k)) for k of n free positions."""
    n = (x.valid & ~x.fixed).sum(1, keepdim=True)
    k = corrupted.sum(1, keepdim=True)
    return (k >= n.clamp(max=min_corrupted)) / (
        count_weight(x, min_corrupted=min_corrupted) * number_of_sets(n, k)
    )


def elbo_weight(
    x: Examples,
    corrupted: Tensor,
    *,
    min_corrupted: int = 0,  # fewest corrupted tokens per sequence; in [0, 1]
) -> Tensor:
    """1 / (k P(k)) = (n - min_corrupted + 1) / k, (B, 1); zero where nothing is corrupted.

    As weight it makes cross-entropy the negative ELBO: -log p(x) <= sum over k of the mean nats of
    a corrupted token given k (all orders are equally likely; LLaDA, arXiv:2502.09992).
    """
    n = (x.valid & ~x.fixed).sum(1, keepdim=True)
    k = corrupted.sum(1, keepdim=True)
    return torch.where(k > 0, (n - min_corrupted + 1) / k.clamp(min=1), 0.0)


def count_weight(
    x: Examples,
    *,
    min_corrupted: int = 0,  # fewest corrupted tokens per sequence; in [0, 1]
) -> Tensor:
    """1 / P(k) = n - min_corrupted + 1, (B, 1), for any number k of corrupted tokens.

    A sampler that restores one token per step visits each k once, but training draws k with
    probability P(k), which falls with the length. This weight corrects for it.
    """
    return ((x.valid & ~x.fixed).sum(1, keepdim=True) - min_corrupted + 1).clamp(min=1)
