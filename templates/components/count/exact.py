"""The number of corrupted tokens is a function of t: the same bound, with less variance.

Paper: arXiv:2502.09992 (LLaDA, its likelihood estimate draws the count)
Also known as: fixed_count, exact_count, stratified_count, fixed
    min_corrupted: least, min, minimum, at_least, min_masked, min_count
Differs:
    fixed, fixed_count: a constant number (BERT's 15 %) is not available; here the number follows
        t
"""

import torch
from torch import Generator, Tensor

from ..ops import number_of_sets, random_subset
from ..types import Examples, Schedule


def select_tokens(
    x: Examples,
    t: Tensor,
    schedule: Schedule,
    rng: Generator,
    *,
    min_corrupted: int = 1,  # fewest corrupted tokens per sequence; in [0, 1]
) -> Tensor:
    """k = m + floor((n - m + 1) (1 - alpha(t))) of the n free positions, (B, L) bool.

    m is `min_corrupted`. Every set of k positions is equally likely; by default
    k = ceil(n (1 - alpha(t))).
    """
    free = x.valid & ~x.fixed
    n = free.sum(1, keepdim=True)
    k = (min_corrupted + ((n - min_corrupted + 1) * (1 - schedule.alpha(t))).floor()).clamp(max=n)
    return random_subset(free, k, rng)


def likelihood(
    x: Examples,
    corrupted: Tensor,
    schedule: Schedule,
    *,
    min_corrupted: int = 1,  # fewest corrupted tokens per sequence; in [0, 1]
) -> Tensor:
    """P(corrupted | x) = P(k) / C(n, k) for k of n free positions, over all times, (B, 1)."""
    n = (x.valid & ~x.fixed).sum(1, keepdim=True)
    k = corrupted.sum(1, keepdim=True)
    return time_of(n, k, schedule, min_corrupted) / number_of_sets(n, k)


def elbo_weight(
    x: Examples,
    corrupted: Tensor,
    schedule: Schedule,
    *,
    min_corrupted: int = 1,  # fewest corrupted tokens per sequence; in [0, 1]
) -> Tensor:
    """1 / (k P(k)), (B, 1), where P(k) is the length of time in which k tokens are corrupted.

    As weight it makes cross-entropy the negative ELBO, for any schedule (see count uniform). For
    the linear schedule, with min_corrupted = 1, it is n / k.
    """
    k = corrupted.sum(1, keepdim=True)
    weight = count_weight(x, corrupted, schedule, min_corrupted=min_corrupted)
    return torch.where(k > 0, weight / k.clamp(min=1), 0.0)


def count_weight(
    x: Examples,
    corrupted: Tensor,
    schedule: Schedule,
    *,
    min_corrupted: int = 1,  # fewest corrupted tokens per sequence; in [0, 1]
) -> Tensor:
    """1 / P(k), (B, 1): with it each number k of corrupted tokens counts once."""
    n = (x.valid & ~x.fixed).sum(1, keepdim=True)
    time = time_of(n, corrupted.sum(1, keepdim=True), schedule, min_corrupted)
    return torch.where(time > 0, 1 / time, 0.0).float()


def time_of(n: Tensor, k: Tensor, schedule: Schedule, min_corrupted: int) -> Tensor:
    """P(k), the length of time in which k of n positions are corrupted, float64.

    P(k) = t_{k+1} - t_k with alpha(t_k) = 1 - (k - m) / (n - m + 1), where m is `min_corrupted`.
    """
    fewest = n.clamp(max=min_corrupted)
    share = torch.stack([k - fewest, k - fewest + 1]).clamp(min=0) / (n - fewest + 1).double()
    begins, ends = schedule.inverse(1 - share.clamp(max=1))
    return ends - begins
