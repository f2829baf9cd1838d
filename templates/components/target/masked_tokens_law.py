"""The law of `masked_tokens`: (position, token) of every masked position."""

from torch import Tensor

Tokens = list[tuple[int, int]]


def targets(tokens: Tensor, valid: Tensor, fixed: Tensor, corrupted: list[int]) -> Tokens:
    return [(j, int(tokens[j])) for j in corrupted]
