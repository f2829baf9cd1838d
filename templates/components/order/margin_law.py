"""The law of `margin`: the largest probability minus the second."""

from torch import Tensor


def score(rule, p: Tensor, positions: Tensor) -> Tensor:
    first, second = p.topk(2, -1)[0].unbind(-1)
    return first - second
