"""The noise of udlm: schedule linear, time stratified, process uniform."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from .ops import random_tokens, states_p, uniform_tokens
from .types import Examples, Replaced, Schedule, Vocab


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


class Noised(NamedTuple):
    tokens: Tensor  # (B, L)
    valid: Tensor  # (B, L)
    clean: Tensor  # (B, L) the token of x_0 at this position
    mass: Tensor  # (B, V) float64, P(x_t = y | x_0) at time t for each y other than x_0
    dmass: Tensor  # (B, V) float64, its derivative


def corrupt(x: Examples, t: Tensor, schedule: Schedule, vocab: Vocab, rng: Generator) -> Noised:
    """x_t: each free token is drawn anew with probability 1 - alpha(t) (UDLM, arXiv:2412.10193).

    It may be drawn as itself: q(y | x_0) = alpha(t) [y = x_0] + (1 - alpha(t)) / K.
    """
    u = torch.rand(x.tokens.shape, generator=rng, device=x.tokens.device)
    replaced = (u >= schedule.alpha(t)) & x.valid & ~x.fixed
    tokens = torch.where(replaced, random_tokens(x, vocab, rng), x.tokens)
    time = t.double()
    uniform = uniform_tokens(vocab, time)
    mass, dmass = (1 - schedule.alpha(time)) * uniform, -schedule.dalpha(time) * uniform
    return Noised(tokens, x.valid, x.tokens, mass, dmass)


def likelihood(z: Noised, x: Examples, t: Tensor, schedule: Schedule, vocab: Vocab) -> Tensor:
    """P(x_t | x_0, t), (B,)."""
    alpha = schedule.alpha(t)
    return states_p(z, x, alpha, (1 - alpha) * uniform_tokens(vocab, alpha))


def prior(x: Examples, vocab: Vocab, rng: Generator) -> Replaced:
    """Any token at each free position."""
    tokens = torch.where(x.valid & ~x.fixed, random_tokens(x, vocab, rng), x.tokens)
    return Replaced(tokens, x.valid.clone(), x.fixed.clone())
