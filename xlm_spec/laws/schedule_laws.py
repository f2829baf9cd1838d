"""Laws of schedules, on a grid of times, in float64."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from .conditions import bounded
from .law import Figure, law, needs, when
from .method import Method


def schedules(m: Method) -> list:
    """The schedules with the parameters of the spec: one, or one for each kind of corruption."""
    noise = getattr(m.as_written, "noise", None)
    return [s for s in vars(noise).values() if hasattr(s, "dalpha")] if noise else []


scheduled = when(lambda m: bool(schedules(m)), "it has no schedule")
GRID = torch.linspace(0, 1, 1001, dtype=torch.float64)


def decrease_error(alpha: Callable[[Tensor], Tensor]) -> float:
    """The deviation from 1 at t = 0, from monotonicity, and from values above 0."""
    a = alpha(GRID)
    return max(0.0, float(torch.stack([(a[0] - 1).abs(), a.diff().max(), -a.min()]).max()))


@law("alpha decreases from 1", scheduled)
def decreases(m: Method) -> Iterator[Figure]:
    for schedule in schedules(m):
        yield Figure(decrease_error(schedule.alpha), 1e-6, decrease_error(backwards(schedule)))


def backwards(schedule) -> Callable[[Tensor], Tensor]:
    """alpha(1 - t)."""
    return lambda t: schedule.alpha(1 - t)


@law("where the method has a bound, alpha runs from 1 to 0", needs(scheduled, bounded))
def ends(m: Method) -> Iterator[Figure]:
    """A bound has no term for tokens corrupted at t = 0, nor for those clean at t = 1.

    The control: a hundredth of the tokens is.
    """
    for schedule in schedules(m):
        first, last = (float(a) for a in schedule.alpha(GRID[[0, -1]]))
        yield Figure(abs(1 - first), 1e-6, abs(1 - 0.99 * first), "t = 0")
        yield Figure(abs(last), 1e-6, abs(0.99 * last + 0.01), "t = 1")


@law("dalpha is the derivative of alpha", scheduled)
def derivative(m: Method) -> Iterator[Figure]:
    for schedule in schedules(m):
        yield Figure(slope_error(schedule), 1e-6, slope_error(schedule, 1.01))


def slope_error(schedule, scale: float = 1.0) -> float:
    """The deviation of `scale` times dalpha from the slope of alpha, relative to the steepest."""
    t = GRID[1:-1].clone().requires_grad_()  # the slope can be infinite at the ends
    (slope,) = torch.autograd.grad(schedule.alpha(t).sum(), t)
    return float((scale * schedule.dalpha(t.detach()) - slope).abs().max() / slope.abs().max())


@law("inverse is the inverse of alpha", scheduled)
def inverse(m: Method) -> Iterator[Figure]:
    for schedule in schedules(m):
        yield Figure(inverse_error(schedule), 1e-6, inverse_error(schedule, lambda t: 1 - t))


def inverse_error(schedule, at: Callable[[Tensor], Tensor] = lambda t: t) -> float:
    """The deviation of alpha(inverse(alpha)) from alpha; `at` changes the time."""
    a = schedule.alpha(GRID)
    return float((schedule.alpha(at(schedule.inverse(a))) - a).abs().max())
