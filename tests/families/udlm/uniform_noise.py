"""Uniform noise: a corrupted token becomes any ordinary token with equal probability.

Paper: arXiv:2412.10193 (UDLM)
"""

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ..types import Examples, State, Vocab


class Noised(NamedTuple):
    tokens: Tensor  # (B, L)
    valid: Tensor  # (B, L)
    clean: Tensor  # (B, L) the token of x_0 at this position


def any_token(x: Examples, vocab: Vocab, rng: Generator) -> Tensor:
    """Ordinary tokens, uniformly, (B, L)."""
    ordinary = torch.ones(vocab.size, dtype=torch.bool, device=x.tokens.device)
    ordinary[list(vocab.special)] = False
    known = ordinary.nonzero()[:, 0]
    u = torch.rand(x.tokens.shape, generator=rng, device=x.tokens.device)
    return known[(u * len(known)).long()]


def corrupt(x: Examples, corrupted: Tensor, vocab: Vocab, rng: Generator) -> Noised:
    """q(x_t | x_0) = alpha(t) onehot(x_0) + (1 - alpha(t)) / K at each free position."""
    tokens = torch.where(corrupted, any_token(x, vocab, rng), x.tokens)
    return Noised(tokens, x.valid, x.tokens)


def prior(x: Examples, vocab: Vocab, rng: Generator) -> State:
    """A uniform token at each free position."""
    tokens = torch.where(x.valid & ~x.fixed, any_token(x, vocab, rng), x.tokens)
    return State(tokens, x.valid.clone(), x.fixed.clone())
