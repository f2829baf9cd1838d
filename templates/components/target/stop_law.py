"""The law of `stop`: whether no token is missing"""

from torch import Tensor


def targets(tokens: Tensor, valid: Tensor, fixed: Tensor, corrupted: list[int]) -> bool:
    return not corrupted
