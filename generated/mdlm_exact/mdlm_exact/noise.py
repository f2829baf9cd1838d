"""The noise of mdlm_exact: schedule linear, time stratified, count exact, process mask."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from .ops import number_of_sets, random_subset, read_positions
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
