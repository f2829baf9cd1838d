"""The noise of remdm: schedule linear, time stratified, count bernoulli, process mask."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from .ops import read_positions
from .types import Examples, Schedule, State, Vocab


@dataclass(frozen=True)
class LinearSchedule:
    """alpha(t) = 1 - (1 - eps) t, the log-linear schedule of MDLM (arXiv:2406.07524)."""

    eps: float = 0.0  # share of tokens left uncorrupted at t = 1; no bound above 0; in [0, 1)

    def alpha(self, t: Tensor) -> Tensor:
        return 1 - (1 - self.eps) * t

    def dalpha(self, t: Tensor) -> Tensor:
        return torch.full_like(t, self.eps - 1)

    def inverse(self, alpha: Tensor) -> Tensor:
        return ((1 - alpha) / (1 - self.eps)).clamp(max=1)


def sample_time(
    x: Examples,
    rng: Generator,
    *,
    edge: float = 1e-5,  # minimum distance from t = 0 and t = 1; in (0, 0.001]
) -> Tensor:
    """One t in each of `total` equal parts of (edge, 1 - edge), (B, 1); each t alone is uniform.

    With `x.index` (in random order) and `x.total`, the parts span the global batch. Times nearer
    than `edge` to 0 or 1 are left out, which makes a bound slightly too optimistic: by a share
    of about 1e-6 with edge 1e-5, of 1e-4 with 1e-3; of ten times as much with the steepest
    schedules. With an infinite slope at an end the share is large: about the root of `edge`.
    """
    batch, device = len(x.tokens), x.tokens.device
    if x.index is None or x.total is None:
        part, total = torch.randperm(batch, generator=rng, device=device), batch
    else:
        part, total = x.index, x.total
    u = (part[:, None] + torch.rand(batch, 1, generator=rng, device=device)) / total
    return edge + (1 - 2 * edge) * u


def select_tokens(x: Examples, t: Tensor, schedule: Schedule, rng: Generator) -> Tensor:
    """Each free position with probability 1 - alpha(t), (B, L) bool."""
    u = torch.rand(x.tokens.shape, generator=rng, device=x.tokens.device)
    return (u >= schedule.alpha(t)) & x.valid & ~x.fixed


def likelihood(x: Examples, corrupted: Tensor, t: Tensor, schedule: Schedule) -> Tensor:
    """P(corrupted | x, t) = (1 - alpha(t))^k alpha(t)^(n - k) for k of n free positions, (B, 1)."""
    n = (x.valid & ~x.fixed).sum(1, keepdim=True)
    k = corrupted.sum(1, keepdim=True)
    return (1 - schedule.alpha(t)) ** k * schedule.alpha(t) ** (n - k)


def elbo_weight(t: Tensor, schedule: Schedule) -> Tensor:
    """-alpha'(t) / (1 - alpha(t)), (B, 1): the rate at which a corrupted token is restored.

    As weight it makes cross-entropy the negative ELBO (MDLM, arXiv:2406.07524). Where 1 - alpha
    rounds to zero nothing is corrupted, and the rate need only be finite.
    """
    share = (1 - schedule.alpha(t)).clamp(min=torch.finfo(t.dtype).eps)
    return -schedule.dalpha(t) / share


class Noised(NamedTuple):
    tokens: Tensor  # (B, L)
    valid: Tensor  # (B, L)
    clean: Tensor  # (B, L) the token of x_0 at this position
    masked: Tensor  # (B, L) bool
    read: Tensor  # (B, L) bool, where losses read hidden states


def corrupt(x: Examples, corrupted: Tensor, vocab: Vocab) -> Noised:
    """x_t: corrupted positions hold [MASK], all others their token.

    Absorbing diffusion (D3PM, arXiv:2107.03006; MDLM, arXiv:2406.07524).
    """
    tokens = x.tokens.masked_fill(corrupted, vocab.mask)
    return Noised(tokens, x.valid, x.tokens, corrupted, read_positions(x))


def prior(x: Examples, vocab: Vocab) -> State:
    """All free positions masked."""
    tokens = x.tokens.masked_fill(x.valid & ~x.fixed, vocab.mask)
    return State(tokens, x.valid.clone(), x.fixed.clone())
