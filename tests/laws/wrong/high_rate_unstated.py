"""Each free token independently; wrong: the ELBO weight is a tenth too large."""

import torch
from torch import Generator, Tensor

from ..types import Examples, Schedule


def select_tokens(x: Examples, t: Tensor, schedule: Schedule, rng: Generator) -> Tensor:
    """Each free position with probability 1 - alpha(t), (B, L) bool."""
    u = torch.rand(x.tokens.shape, generator=rng, device=x.tokens.device)
    return (u >= schedule.alpha(t)) & x.valid & ~x.fixed


def elbo_weight(t: Tensor, schedule: Schedule) -> Tensor:
    """-alpha'(t) / (1 - alpha(t)), (B, 1): the rate at which a corrupted token is restored.

    As weight it makes cross-entropy the negative ELBO (MDLM, arXiv:2406.07524). Where 1 - alpha
    rounds to zero nothing is corrupted, and the rate need only be finite.
    """
    share = (1 - schedule.alpha(t)).clamp(min=torch.finfo(t.dtype).eps)
    return -1.1 * schedule.dalpha(t) / share


def count_weight(x: Examples, t: Tensor, schedule: Schedule) -> Tensor:
    """-(n + 1) alpha'(t), (B, 1): with it each number k of corrupted tokens counts once.

    Given t, k is binomial, and (n + 1) int C(n, k) u^k (1 - u)^(n - k) du = 1 over u = 1 - alpha,
    for every k (see count uniform).
    """
    n = (x.valid & ~x.fixed).sum(1, keepdim=True)
    return -(n + 1) * schedule.dalpha(t)
