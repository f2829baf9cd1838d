"""Every number of hidden tokens is equally likely; no time, no schedule.

Paper: arXiv:2502.09992 (LLaDA, its likelihood estimate); arXiv:2505.05755 (ILM)
Also known as: uniform_count, random_count, any_order
"""

import torch
from torch import Generator, Tensor

from ..ops import number_of_sets
from ..types import Examples


def choose(
    x: Examples,
    rng: Generator,
    *,
    least: int = 0,  # fewest hidden tokens of a sequence; in [0, 1]
) -> Tensor:
    """k ~ U{least, ..., n} of the n free sites, every set of k alike, (B, L) bool."""
    free = x.valid & ~x.fixed
    n = free.sum(1, keepdim=True)
    u = torch.rand(len(n), 1, generator=rng, device=n.device)
    k = (least + (u * (n - least + 1)).long()).clamp(max=n)  # a row without free sites has none
    key = torch.rand(free.shape, generator=rng, device=n.device).masked_fill(~free, 2.0)
    return free & (key.argsort(1).argsort(1) < k)


def likelihood(
    x: Examples,
    chosen: Tensor,
    *,
    least: int = 0,  # fewest hidden tokens of a sequence; in [0, 1]
) -> Tensor:
    """P(chosen | x) = 1 / ((n - least + 1) C(n, k)) for k of n free sites, (B, 1)."""
    n = (x.valid & ~x.fixed).sum(1, keepdim=True)
    k = chosen.sum(1, keepdim=True)
    return (k >= n.clamp(max=least)) / (level_weight(x, least=least) * number_of_sets(n, k))


def return_rate(
    x: Examples,
    chosen: Tensor,
    *,
    least: int = 0,  # fewest hidden tokens of a sequence; in [0, 1]
) -> Tensor:
    """1 / (k P(k)) = (n - least + 1) / k, (B, 1); zero where nothing is hidden.

    As weight it makes cross-entropy the negative bound: -log p(x) <= sum over k of the mean of the
    hidden tokens' nats given k (any order is as likely as any other; LLaDA, arXiv:2502.09992).
    """
    n = (x.valid & ~x.fixed).sum(1, keepdim=True)
    k = chosen.sum(1, keepdim=True)
    return torch.where(k > 0, (n - least + 1) / k.clamp(min=1), 0.0)


def level_weight(
    x: Examples,
    *,
    least: int = 0,  # fewest hidden tokens of a sequence; in [0, 1]
) -> Tensor:
    """1 / P(k) = n - least + 1, (B, 1), for any number k of hidden tokens.

    A sampler that restores one token a step passes each k once, while training meets k with
    probability P(k), less often the longer the text. As weight this makes up for it.
    """
    return ((x.valid & ~x.fixed).sum(1, keepdim=True) - least + 1).clamp(min=1)
