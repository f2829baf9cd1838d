"""The law of `next_token`: every free token, predicted at the position before it."""

from torch import Tensor

Tokens = list[tuple[int, int]]


def targets(tokens: Tensor, valid: Tensor, fixed: Tensor, corrupted: list[int]) -> Tokens:
    free = (valid & ~fixed).nonzero()[:, 0].tolist()
    return [(j - 1, int(tokens[j])) for j in free]
