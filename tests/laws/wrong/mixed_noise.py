"""A corrupted token is masked, or replaced by a random one.

Paper: arXiv:2503.04482 (GIDD)
"""

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ..types import Examples, Schedule, State, Vocab

ELBO_WEIGHTS = {"original_tokens": "elbo_weight"}


class Noised(NamedTuple):
    tokens: Tensor  # (B, L)
    valid: Tensor  # (B, L)
    clean: Tensor  # (B, L) the token that stood at this position


def corrupt(
    x: Examples, corrupted: Tensor, t: Tensor, schedule: Schedule, vocab: Vocab, rng: Generator
) -> Noised:
    """x_t,i ~ alpha(t) onehot(x_0,i) + mass(t)."""
    mass = schedule.mass(t, vocab)  # (B, V)
    random = torch.multinomial(mass, x.tokens.shape[1], replacement=True, generator=rng)
    return Noised(torch.where(corrupted, random, x.tokens), x.valid, x.tokens)


def prior(x: Examples, vocab: Vocab) -> State:
    """Every free position masked."""
    tokens = x.tokens.masked_fill(x.valid & ~x.fixed, vocab.mask)
    return State(tokens, x.valid.clone(), x.fixed.clone())
