"""The targets of a loss at given states, and the weights of its positions in the objective."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .calls import rows_of
from .corruptions import tokens_seen
from .observed import Loss, arguments, with_losses
from .pinning import pinned
from .toy_distribution import generator

if TYPE_CHECKING:
    from .method import Method


class Blank:
    """A model without an output, for objectives whose losses are replaced."""

    def __call__(self, tokens: Tensor, *_: Any, **__: Any) -> Tensor:
        return torch.zeros(*tokens.shape, 1, dtype=torch.float64)


def probed(
    m: Method, losses: list[str], x: Any, state: Any, t: float, weighted: bool
) -> Iterator[tuple[Any, Tensor]]:
    """The target of each of these losses at these states, and its weight at each position, (B, L).

    Without `weighted` each weight is one: nothing but the state decides the minimiser.
    """
    rows, width = tokens_seen(m, x, state).shape
    ones = torch.ones(rows, width, dtype=torch.float64)
    for loss in losses:
        targets = values_at(m, loss, x, state, t)[0]
        if not targets:  # it is no term of what is minimised
            continue
        if not weighted:
            yield targets[0], ones
            continue
        which = torch.arange(rows).repeat_interleave(width)  # each row once for each position
        position = torch.arange(width).repeat(rows)
        _, value = values_at(m, loss, rows_of(x, which), rows_of(state, which), t, position)
        yield targets[0], value.view(rows, width)


def values_at(
    m: Method, loss: str, x: Any, state: Any, t: float, position: Tensor | None = None
) -> tuple[list[Any], Tensor]:
    """The targets of a loss, and what is minimised, (B,), if all losses are 0.

    But this one is 1 at the `position` (B,) of each row.
    """
    targets: list[Any] = []

    def change(name: str, f: Loss) -> Loss:
        def value(*args: Any, **options: Any) -> Tensor:
            given = arguments(f, args, options)
            out = torch.zeros(given["hidden"].shape[:2], dtype=torch.float64)
            if name == loss:
                targets.append(given["target"])
                if position is not None:
                    out[torch.arange(len(out)), position] = 1
            return out

        return value

    with with_losses(m, change), pinned(m, state, t):
        found = getattr(m.part("objective"), m.minimised)(Blank(), x, m.config, generator())
    total = torch.stack([*found.values()]).sum(0) if isinstance(found, dict) else -found
    return targets, total.double()
