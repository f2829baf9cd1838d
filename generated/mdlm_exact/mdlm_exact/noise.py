"""How clean text is corrupted in mdlm_exact.

Schedule linear, time stratified, count exact, process mask.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from .ops import number_of_sets
from .types import Examples, Schedule, State, Vocab


@dataclass(frozen=True)
class LinearSchedule:
    """alpha(t) = 1 - (1 - eps) t, the log-linear schedule of MDLM (arXiv:2406.07524)."""

    eps: float = 0.0  # share of tokens that survive even at t = 1; above 0 no bound; in [0, 1)

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
    edge: float = 1e-5,  # keep this far from t = 0 and t = 1; in (0, 0.001]
) -> Tensor:
    """One t in each of `total` equal parts of (edge, 1 - edge), (B, 1); each t alone is uniform.

    The parts span the global batch where `x.index` (drawn without order) and `x.total` say so.
    """
    batch, device = len(x.tokens), x.tokens.device
    if x.index is None or x.total is None:
        part, total = torch.randperm(batch, generator=rng, device=device), batch
    else:
        part, total = x.index, x.total
    u = (part[:, None] + torch.rand(batch, 1, generator=rng, device=device)) / total
    return edge + (1 - 2 * edge) * u


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


class Noised(NamedTuple):
    tokens: Tensor  # (B, L)
    valid: Tensor  # (B, L)
    clean: Tensor  # (B, L) the token that stood at this site
    masked: Tensor  # (B, L) bool


def corrupt(x: Examples, chosen: Tensor, vocab: Vocab) -> Noised:
    """x_t: the chosen sites hold the mask, all others their token.

    Absorbing diffusion (D3PM, arXiv:2107.03006; MDLM, arXiv:2406.07524).
    """
    return Noised(x.tokens.masked_fill(chosen, vocab.mask), x.valid, x.tokens, chosen)


def prior(x: Examples, vocab: Vocab) -> State:
    """Every free site masked."""
    tokens = x.tokens.masked_fill(x.valid & ~x.fixed, vocab.mask)
    return State(tokens, x.valid.clone(), x.fixed.clone())
