"""Absorbing noise, as shipped."""

from typing import NamedTuple

from torch import Tensor

from ..types import Examples, State, Vocab

ELBO_WEIGHTS = {"masked_tokens": "elbo_weight"}


class Noised(NamedTuple):
    tokens: Tensor  # (B, L)
    valid: Tensor  # (B, L)
    clean: Tensor  # (B, L) the token of x_0 at this position
    masked: Tensor  # (B, L) bool


def corrupt(x: Examples, corrupted: Tensor, vocab: Vocab) -> Noised:
    """x_t: corrupted positions hold [MASK], all others their token.

    Absorbing diffusion (D3PM, arXiv:2107.03006; MDLM, arXiv:2406.07524).
    """
    return Noised(x.tokens.masked_fill(corrupted, vocab.mask), x.valid, x.tokens, corrupted)


def prior(x: Examples, vocab: Vocab) -> State:
    """All free positions masked."""
    tokens = x.tokens.masked_fill(x.valid & ~x.fixed, vocab.mask)
    return State(tokens, x.valid.clone(), x.fixed.clone())
