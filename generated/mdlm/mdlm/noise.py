"""How clean text is corrupted in mdlm: schedule linear, time stratified, process mask."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Generator, Tensor

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
        return (1 - alpha) / (1 - self.eps)


def sample_time(
    x: Examples,
    rng: Generator,
    *,
    edge: float = 1e-5,  # keep this far from t = 0 and t = 1; in (0, 0.5)
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


class Noised(NamedTuple):
    tokens: Tensor  # (B, L)
    valid: Tensor  # (B, L)
    clean: Tensor  # (B, L) the token that stood at this site
    masked: Tensor  # (B, L) bool


def corrupt(x: Examples, t: Tensor, schedule: Schedule, vocab: Vocab, rng: Generator) -> Noised:
    """Draws x_t ~ prod_i alpha(t) [x_t,i = x_0,i] + (1 - alpha(t)) [x_t,i = mask], free sites only.

    Absorbing diffusion (D3PM, arXiv:2107.03006; MDLM, arXiv:2406.07524).
    """
    u = torch.rand(x.tokens.shape, generator=rng, device=x.tokens.device)
    masked = (u >= schedule.alpha(t)) & x.valid & ~x.fixed
    return Noised(x.tokens.masked_fill(masked, vocab.mask), x.valid, x.tokens, masked)


def masked_tokens_rate(t: Tensor, schedule: Schedule) -> Tensor:
    """-alpha'(t) / (1 - alpha(t)), (B, 1): the rate at which a masked token comes back.

    As weight it makes cross-entropy the negative bound (MDLM, arXiv:2406.07524).
    """
    return -schedule.dalpha(t) / (1 - schedule.alpha(t))


def prior(x: Examples, vocab: Vocab) -> State:
    """Every free site masked."""
    tokens = x.tokens.masked_fill(x.valid & ~x.fixed, vocab.mask)
    return State(tokens, x.valid.clone(), x.fixed.clone())
