"""Absorbing noise: each token becomes [MASK] with probability 1 - alpha(t).

Paper: arXiv:2406.07524 (MDLM); arXiv:2107.03006 (D3PM, absorbing)
Also known as: absorb, absorbing, masked, masking
"""

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ..types import Examples, Schedule, State, Vocab


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
