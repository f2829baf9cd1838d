"""Laws of schedules, on a grid of times, in float64."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from .law import Figure, law, when
from .method import Method


def written(m: Method):
    """The schedule with the spec's own numbers."""
    return getattr(getattr(m.as_written, "noise", None), "schedule", None)


scheduled = when(lambda m: written(m) is not None, "it has no schedule")
GRID = torch.linspace(0, 1, 1001, dtype=torch.float64)


def ends(alpha: Callable[[Tensor], Tensor], last: float) -> float:
    """How far it is from 1 at t = 0, from its end at t = 1, and from falling."""
    a = alpha(GRID)
    return float(torch.stack([(a[0] - 1).abs(), (a[-1] - last).abs(), a.diff().max()]).max())


@law("alpha falls from 1 to where it ends", scheduled)
def falls(m: Method) -> Iterator[Figure]:
    """alpha(0) = 1, alpha(1) = 0 (eps where the schedule has one), never rising."""
    last = float(getattr(written(m), "eps", 0.0))
    yield Figure(ends(written(m).alpha, last), 1e-6, ends(lambda t: written(m).alpha(1 - t), last))


@law("dalpha is the derivative of alpha", scheduled)
def derivative(m: Method) -> Iterator[Figure]:
    t = GRID[1:-1].clone().requires_grad_()
    (slope,) = torch.autograd.grad(written(m).alpha(t).sum(), t)
    told = written(m).dalpha(t.detach())
    scale = slope.abs().max()
    yield Figure(
        float((told - slope).abs().max() / scale),
        1e-6,
        float((1.01 * told - slope).abs().max() / scale),
    )


@law("inverse undoes alpha", scheduled)
def inverse(m: Method) -> Iterator[Figure]:
    a = written(m).alpha(GRID)
    off = (written(m).alpha(written(m).inverse(a)) - a).abs().max()
    wrong = (written(m).alpha(1 - written(m).inverse(a)) - a).abs().max()
    yield Figure(float(off), 1e-6, float(wrong))
