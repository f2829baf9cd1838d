"""The law of `substitutions`: of each token that may be substituted whether it is to be."""

from types import SimpleNamespace

from torch import Tensor

from .deletions_law import may_be


def targets(
    tokens: Tensor, valid: Tensor, fixed: Tensor, corrupted: list[int], state: SimpleNamespace
) -> list[tuple[int, bool]]:
    return may_be(state, state.other)
