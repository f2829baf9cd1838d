"""The sequence with a mask for each dropped token.

Paper: arXiv:1905.11006 (Levenshtein Transformer)
"""

from typing import NamedTuple

from torch import Tensor

from ..types import Examples, Vocab


class Placeholders(NamedTuple):
    tokens: Tensor  # (B, L)
    valid: Tensor  # (B, L)
    clean: Tensor  # (B, L) the token of x_0 at this position
    masked: Tensor  # (B, L) bool


def masks_at_dropped(x: Examples, dropped: Tensor, vocab: Vocab) -> Placeholders:
    """x_0 with masks at the dropped positions, as after an insertion of the right number."""
    return Placeholders(x.tokens.masked_fill(dropped, vocab.mask), x.valid, x.tokens, dropped)
