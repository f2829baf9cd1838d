"""The sequence with the likeliest token at each mask.

Paper: arXiv:1905.11006 (Levenshtein Transformer)
"""

from typing import NamedTuple

import torch
from torch import Tensor


class Filled(NamedTuple):
    tokens: Tensor  # (B, L)
    valid: Tensor  # (B, L)
    wrong: Tensor  # (B, L) bool, the token differs from that of x_0


@torch.no_grad()
def filled(
    model, hidden: Tensor, tokens: Tensor, valid: Tensor, clean: Tensor, masked: Tensor
) -> Filled:
    """The masks of the view before, filled from its hidden states."""
    row, col = masked.nonzero(as_tuple=True)
    guess = tokens.index_put((row, col), model.token_logits(hidden[row, col]).argmax(-1))
    return Filled(guess, valid, (guess != clean) & valid)
