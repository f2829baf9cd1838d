"""The law of `deletions`: of each token that may be deleted whether it is to be."""

from types import SimpleNamespace

from torch import Tensor


def targets(
    tokens: Tensor, valid: Tensor, fixed: Tensor, corrupted: list[int], state: SimpleNamespace
) -> list[tuple[int, bool]]:
    return may_be(state, state.wrong)


def may_be(state: SimpleNamespace, edited: Tensor) -> list[tuple[int, bool]]:
    """The tokens of x_t that are neither fixed nor BOS, each with whether it is edited."""
    return [(j, bool(edited[j])) for j in range(len(edited)) if state.valid[j] and state.free[j]]
