"""A loss that uses the head `mine`."""

from torch import Tensor

from ..types import TokenPositions

AUXILIARY = True


def uses_mine(model, hidden: Tensor, target: TokenPositions) -> Tensor:
    """The square of its output, (B, L)."""
    return model.mine(hidden).square().reshape(*hidden.shape[:2], -1).clamp(max=9).mean(-1)
