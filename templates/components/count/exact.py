"""As many tokens are hidden as the time says, to the nearest above: the same bound, less variance.

Paper: arXiv:2502.09992 (LLaDA, its likelihood estimate draws the count)
Also known as: fixed_count, exact_count, stratified_count
"""

import torch
from torch import Generator, Tensor

from ..types import Examples, Schedule


def choose(x: Examples, t: Tensor, schedule: Schedule, rng: Generator) -> Tensor:
    """k = ceil(n (1 - alpha(t))) of the n free sites, every set of k alike, (B, L) bool."""
    free = x.valid & ~x.fixed
    n = free.sum(1, keepdim=True)
    k = (n * (1 - schedule.alpha(t))).ceil().clamp(min=1)
    key = torch.rand(free.shape, generator=rng, device=n.device).masked_fill(~free, 2.0)
    return free & (key.argsort(1).argsort(1) < k)


def return_rate(x: Examples, chosen: Tensor, schedule: Schedule) -> Tensor:
    """1 / (k P(k)), (B, 1), where P(k) is the length of time in which k tokens are hidden.

    P(k) = t_k - t_{k-1} with alpha(t_k) = 1 - k / n. For the linear schedule n / k. As weight it
    makes cross-entropy the negative bound, for any schedule (see count uniform).
    """
    n = (x.valid & ~x.fixed).sum(1, keepdim=True).double()
    k = chosen.sum(1, keepdim=True).double()
    share = k / n.clamp(min=1)
    before = (k - 1).clamp(min=0) / n.clamp(min=1)
    lasts = schedule.inverse(1 - share) - schedule.inverse(1 - before)
    return torch.where(k > 0, 1 / (k * lasts), 0.0).float()
