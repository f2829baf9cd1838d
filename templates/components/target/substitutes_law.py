"""The law of `substitutes`: the token of x_0 at each position whose token is to be substituted."""

from types import SimpleNamespace

from torch import Tensor


def targets(
    tokens: Tensor, valid: Tensor, fixed: Tensor, corrupted: list[int], state: SimpleNamespace
) -> list[tuple[int, int]]:
    return [(j, int(state.substitute[j])) for j in range(len(state.other)) if state.other[j]]
