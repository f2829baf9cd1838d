"""Uniform noise: a corrupted token is replaced by any word, each alike.

Paper: arXiv:2412.10193 (UDLM); arXiv:2107.03006 (D3PM, uniform)
"""

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ..types import Examples, State, Vocab

ELBO_WEIGHTS = {"original_tokens": "elbo_weight"}


class Noised(NamedTuple):
    tokens: Tensor  # (B, L)
    valid: Tensor  # (B, L)
    clean: Tensor  # (B, L) the token that stood at this position


def words(vocab: Vocab, device: torch.device) -> Tensor:
    """Ids that stand in texts, (K,)."""
    usual = torch.ones(vocab.size, dtype=torch.bool, device=device)
    usual[list(vocab.special)] = False
    return usual.nonzero()[:, 0]


def any_word(x: Examples, vocab: Vocab, rng: Generator) -> Tensor:
    """(B, L), each word alike."""
    found = words(vocab, x.tokens.device)
    u = torch.rand(x.tokens.shape, generator=rng, device=x.tokens.device)
    return found[(u * len(found)).long()]


def corrupt(x: Examples, corrupted: Tensor, vocab: Vocab, rng: Generator) -> Noised:
    """q_t(. | x) = alpha(t) onehot(x) + (1 - alpha(t)) / K, at each free position."""
    return Noised(
        torch.where(corrupted & (x.tokens > 0), any_word(x, vocab, rng), x.tokens),
        x.valid,
        x.tokens,
    )


def prior(x: Examples, vocab: Vocab, rng: Generator) -> State:
    """Any word at every free position."""
    free = x.valid & ~x.fixed
    tokens = torch.where(free, any_word(x, vocab, rng), x.tokens)
    return State(tokens, x.valid.clone(), x.fixed.clone())
