"""A corrector that waits: it keeps the state, and the number of positions."""

from torch import Tensor

from ..types import State

EXACT_AT = {}


def hold(state: State, s: Tensor, *, rounds: int = 1) -> State:  # of waiting; in [1, inf)
    """The same state."""
    return state if (s >= 0).all() else state._replace(tokens=state.tokens.clone())
