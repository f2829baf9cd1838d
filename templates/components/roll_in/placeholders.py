"""The sequence with a mask for each dropped token.

Paper: arXiv:1905.11006 (Levenshtein Transformer, what its second policy reads)
Also known as: placeholder, insert_placeholders, mask_ins
"""

from typing import NamedTuple

from torch import Tensor

from ..types import Examples, Vocab


class Placeholders(NamedTuple):
    tokens: Tensor  # (B, L)
    valid: Tensor  # (B, L)
    clean: Tensor  # (B, L) the token of x_0
    masked: Tensor  # (B, L) bool


def placeholders(x: Examples, dropped: Tensor, vocab: Vocab) -> Placeholders:
    """x_0 with masks in place of the dropped tokens: as after insertions of the right numbers."""
    return Placeholders(x.tokens.masked_fill(dropped, vocab.mask), x.valid, x.tokens, dropped)
