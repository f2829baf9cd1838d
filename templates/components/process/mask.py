"""Absorbing noise: a hidden token becomes [MASK].

Paper: arXiv:2406.07524 (MDLM); arXiv:2107.03006 (D3PM, absorbing)
Also known as: absorb, absorbing, masked, masking
"""

from typing import NamedTuple

from torch import Tensor

from ..types import Examples, State, Vocab

BOUND = {"masked_tokens": "return_rate"}


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
