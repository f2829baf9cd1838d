"""As many tokens are hidden as the time says, to the nearest above: the same bound, less variance.

Paper: arXiv:2502.09992 (LLaDA, its likelihood estimate draws the count)
Also known as: fixed_count, exact_count, stratified_count, fixed
    least: min, minimum, at_least, min_masked, min_count
"""

import torch
from torch import Generator, Tensor

from ..ops import number_of_sets
from ..types import Examples, Schedule


def choose(
    x: Examples,
    t: Tensor,
    schedule: Schedule,
    rng: Generator,
    *,
    least: int = 1,  # fewest hidden tokens of a sequence; in [0, 1]
) -> Tensor:
    """k = least + floor((n - least + 1) (1 - alpha(t))) of the n free sites, (B, L) bool.

    Every set of k sites alike; by default k = ceil(n (1 - alpha(t))).
    """
    free = x.valid & ~x.fixed
    n = free.sum(1, keepdim=True)
    k = (least + ((n - least + 1) * (1 - schedule.alpha(t))).floor()).clamp(max=n)
    key = torch.rand(free.shape, generator=rng, device=n.device).masked_fill(~free, 2.0)
    return free & (key.argsort(1).argsort(1) < k)


def likelihood(
    x: Examples,
    chosen: Tensor,
    schedule: Schedule,
    *,
    least: int = 1,  # fewest hidden tokens of a sequence; in [0, 1]
) -> Tensor:
    """P(chosen | x) = P(k) / C(n, k) for k of n free sites, over all times, (B, 1)."""
    n = (x.valid & ~x.fixed).sum(1, keepdim=True)
    k = chosen.sum(1, keepdim=True)
    return time_of(n, k, schedule, least) / number_of_sets(n, k)


def return_rate(
    x: Examples,
    chosen: Tensor,
    schedule: Schedule,
    *,
    least: int = 1,  # fewest hidden tokens of a sequence; in [0, 1]
) -> Tensor:
    """1 / (k P(k)), (B, 1), where P(k) is the length of time in which k tokens are hidden.

    As weight it makes cross-entropy the negative bound, for any schedule (see count uniform). For
    the linear schedule, with least = 1, it is n / k.
    """
    k = chosen.sum(1, keepdim=True)
    weight = level_weight(x, chosen, schedule, least=least)
    return torch.where(k > 0, weight / k.clamp(min=1), 0.0)


def level_weight(
    x: Examples,
    chosen: Tensor,
    schedule: Schedule,
    *,
    least: int = 1,  # fewest hidden tokens of a sequence; in [0, 1]
) -> Tensor:
    """1 / P(k), (B, 1): with it each number k of hidden tokens counts once (see count uniform)."""
    n = (x.valid & ~x.fixed).sum(1, keepdim=True)
    time = time_of(n, chosen.sum(1, keepdim=True), schedule, least)
    return torch.where(time > 0, 1 / time, 0.0).float()


def time_of(n: Tensor, k: Tensor, schedule: Schedule, least: int) -> Tensor:
    """P(k), the length of time in which k of n sites are hidden, float64.

    P(k) = t_{k+1} - t_k with alpha(t_k) = 1 - (k - least) / (n - least + 1).
    """
    fewest = n.clamp(max=least)
    share = torch.stack([k - fewest, k - fewest + 1]).clamp(min=0) / (n - fewest + 1).double()
    begins, ends = schedule.inverse(1 - share.clamp(max=1))
    return ends - begins
