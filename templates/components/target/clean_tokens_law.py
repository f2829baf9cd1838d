"""The law of `clean_tokens`: (position, token) of every free position."""

from torch import Tensor

from .masked_tokens_law import Tokens


def targets(tokens: Tensor, valid: Tensor, fixed: Tensor, corrupted: list[int]) -> Tokens:
    free = (valid & ~fixed).nonzero()[:, 0].tolist()
    return [(j, int(tokens[j])) for j in free]
