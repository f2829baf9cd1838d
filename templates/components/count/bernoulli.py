"""Each free token is hidden by itself, with probability 1 - alpha(t).

Paper: arXiv:2406.07524 (MDLM)
Also known as: independent, iid, binomial, per_token, token_wise
"""

import torch
from torch import Generator, Tensor

from ..types import Examples, Schedule


def choose(x: Examples, t: Tensor, schedule: Schedule, rng: Generator) -> Tensor:
    """Each free site with probability 1 - alpha(t), (B, L) bool."""
    u = torch.rand(x.tokens.shape, generator=rng, device=x.tokens.device)
    return (u >= schedule.alpha(t)) & x.valid & ~x.fixed


def return_rate(t: Tensor, schedule: Schedule) -> Tensor:
    """-alpha'(t) / (1 - alpha(t)), (B, 1): the rate at which a hidden token comes back.

    As weight it makes cross-entropy the negative bound (MDLM, arXiv:2406.07524). Where 1 - alpha
    rounds to zero nothing is hidden, and the rate need only be finite.
    """
    gone = (1 - schedule.alpha(t)).clamp(min=torch.finfo(t.dtype).eps)
    return -schedule.dalpha(t) / gone


def level_weight(x: Examples, t: Tensor, schedule: Schedule) -> Tensor:
    """-(n + 1) alpha'(t), (B, 1): with it each number k of hidden tokens counts once.

    Given t, k is binomial, and (n + 1) int C(n, k) u^k (1 - u)^(n - k) du = 1 over u = 1 - alpha,
    for every k (see count uniform).
    """
    n = (x.valid & ~x.fixed).sum(1, keepdim=True)
    return -(n + 1) * schedule.dalpha(t)
