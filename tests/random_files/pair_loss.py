"""The squared error of a number for each position."""

from torch import Tensor

from .pairs import Pairs

AUXILIARY = True


def pair_loss(model, hidden: Tensor, target: Pairs, steps: int) -> Tensor:
    """The error over the number of steps of the sampler, (B, L)."""
    return (model.magnitude(hidden) - target.count).square() * target.valid / steps
