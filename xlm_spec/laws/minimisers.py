"""What a loss can name as its minimiser: how the exact output of its head follows from targets.

The targets of all corrupted states are summed: for every state that the model sees, and every
position, one sum in each of `columns`. `output` is the head's exact output from these sums.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from .models import UNIFORM, perturbed
from .observed import Shape
from .toy_distribution import V

POSITIONS = ("row", "col", "token")  # of a target that is a token at some positions


class Minimiser(Protocol):
    """`whole`: does the output depend on the token at its own position?"""

    @property
    def whole(self) -> bool: ...
    @property
    def columns(self) -> int: ...
    @property
    def scalar(self) -> bool: ...  # is the head's output a number, not a vector?

    def misfit(self, target: Any, hidden: Shape) -> str:
        """Why it can't be computed from such targets; "" if it can."""

    def cells(self, target: Any, hidden: Shape) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What the target adds: (row, position, column, amount), (N,) each."""

    def output(self, sums: Tensor, blur: float, tilt: float) -> Tensor:
        """The output (..., D) from the sums (..., columns), perturbed (see `perturbed`)."""


@dataclass(frozen=True)
class TokenProbabilities:
    """The logits of p(token | x_t), of targets that are a token at some positions.

    Those of the posterior are not normalised, so that they are also those of p(position, token |
    x_t); a prediction without the token at its position is, as scores are its ratios.
    """

    whole: bool
    columns: int = V
    scalar: bool = False

    def misfit(self, target: Any, hidden: Shape) -> str:
        same = getattr(target, "_fields", ())[:3] == POSITIONS
        return "" if same else "its target is not a token at some positions"

    def cells(self, target: Any, hidden: Shape) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        number = getattr(target, "number", torch.ones(len(target.row)))
        return target.row, target.col, target.token, number.double()

    def output(self, sums: Tensor, blur: float, tilt: float) -> Tensor:
        total = sums.sum(-1, keepdim=True).clamp(min=1e-300)
        logits = perturbed(sums / total, UNIFORM, blur, tilt).log()
        return logits + total.log() if self.whole else logits


@dataclass(frozen=True)
class ExpectedNumber:
    """The mean of a number, of targets with one number for each position.

    If the target also has a bool for each position, the number counts where it is True. A `share`
    of each sequence, (B, 1), is the unit of the number, and the weight of the sequence.
    """

    whole: bool = True
    columns: int = 2  # the weights, and the weighted numbers
    scalar: bool = True

    def misfit(self, target: Any, hidden: Shape) -> str:
        numbers, flags = fields(target, hidden)
        same = len(numbers) == 1 and len(flags) <= 1
        return "" if same else "its target is not one number for each position"

    def cells(self, target: Any, hidden: Shape) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        [number], flags = fields(target, hidden)
        where = flags[0] if flags else torch.ones(hidden[:2], dtype=torch.bool)
        row, col = where.nonzero(as_tuple=True)
        amount, column = number[row, col].double(), torch.zeros_like(row)
        share = getattr(target, "share", torch.ones(len(number), 1))[row, 0].double()
        return (
            torch.cat([row, row]),
            torch.cat([col, col]),
            torch.cat([column, column + 1]),
            torch.cat([share, share * amount]),
        )

    def output(self, sums: Tensor, blur: float, tilt: float) -> Tensor:
        weight, total = sums.unbind(-1)
        mean = torch.where(weight > 0, total / weight.clamp(min=1e-300), 0.0)
        return ((1 - blur) * mean ** (1 + tilt) + blur)[..., None]


def fields(target: Any, hidden: Shape) -> tuple[list[Tensor], list[Tensor]]:
    """The fields (B, L) of a target: its numbers, and its bools."""
    tensors = [a for a in target if isinstance(a, Tensor) and a.shape == hidden[:2]]
    flags = [a for a in tensors if a.dtype == torch.bool]
    return [a for a in tensors if a.dtype != torch.bool], flags


MINIMISERS: dict[str, Minimiser] = {
    "posterior": TokenProbabilities(whole=True),
    "leave_one_out": TokenProbabilities(whole=False),
    "expected_count": ExpectedNumber(),
}
