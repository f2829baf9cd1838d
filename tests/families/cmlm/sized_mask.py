"""Absorbing noise on sequences whose length is predicted.

Paper: arXiv:1904.09324 (Mask-Predict)
"""

from typing import NamedTuple

import torch
from torch import Tensor

from ..types import Examples, Vocab
from .sized import Sized

ELBO_WEIGHTS = {"masked_tokens": "elbo_weight"}


class Noised(NamedTuple):
    tokens: Tensor  # (B, L)
    valid: Tensor  # (B, L)
    clean: Tensor  # (B, L) the token of x_0 at this position
    masked: Tensor  # (B, L) bool


def corrupt(x: Examples, corrupted: Tensor, vocab: Vocab) -> Noised:
    """x_t: corrupted positions hold [MASK], all others their token."""
    return Noised(x.tokens.masked_fill(corrupted, vocab.mask), x.valid, x.tokens, corrupted)


def prior(x: Examples, vocab: Vocab) -> Sized:
    """All free positions masked; how many are used is predicted later."""
    tokens = x.tokens.masked_fill(x.valid & ~x.fixed, vocab.mask)
    confidence = torch.zeros(tokens.shape, device=tokens.device)
    return Sized(tokens, x.valid.clone(), x.fixed.clone(), confidence)
