"""The sequence with the likeliest token of the model at each mask.

Paper: arXiv:1905.11006 (Levenshtein Transformer, what its deletion policy reads)
Also known as: model_roll_in, own_fills, word_del_roll_in, adversarial_deletion
Differs:
    word_del_roll_in: the mixture with the initial sequence of the decoder (the paper's alpha) is
        not available; deletions are learned on the model's own tokens alone
"""

from typing import NamedTuple

import torch
from torch import Tensor


class Filled(NamedTuple):
    tokens: Tensor  # (B, L)
    valid: Tensor  # (B, L)
    wrong: Tensor  # (B, L) bool, is to be deleted


@torch.no_grad()
def model_fill(
    model, hidden: Tensor, tokens: Tensor, valid: Tensor, clean: Tensor, masked: Tensor
) -> Filled:
    """The masks of the input before, filled from its hidden states; without a gradient."""
    row, col = masked.nonzero(as_tuple=True)
    filled = tokens.index_put((row, col), model.token_logits(hidden[row, col]).argmax(-1))
    return Filled(filled, valid, (filled != clean) & valid)
