"""Schedules: alpha falls from 1 to 0, dalpha is its derivative, inverse its inverse.

Every file under components/schedule is held against this; a new one is found by itself.
"""

from dataclasses import dataclass
from importlib import import_module

import pytest
import torch

from components.schedule.cosine import CosineSchedule
from components.schedule.geometric import GeometricSchedule
from components.schedule.linear import LinearSchedule
from components.schedule.polynomial import PolynomialSchedule
from xlm_spec.compiler.components import component, values


def shipped(value: str):
    """The schedule of a file, with its defaults."""
    return getattr(
        import_module(f"components.schedule.{value}"), component("schedule", value).object
    )()


SHIPPED = [shipped(v) for v in values("schedule")]
STEEP = GeometricSchedule(1e-4, 100.0)  # alpha rounds to zero before t = 1
OTHERS = [PolynomialSchedule(0.5), PolynomialSchedule(3.0), GeometricSchedule(1e-2, 5.0)]
GRID = torch.linspace(0, 1, 401, dtype=torch.float64)


def lawful(schedule, end: float = 0.0) -> None:
    """The law of a schedule, on a grid in float64."""
    inside = GRID[1:-1].clone().requires_grad_()  # a slope may be infinite at an end
    (slope,) = torch.autograd.grad(schedule.alpha(inside).sum(), inside)
    alpha = schedule.alpha(GRID)
    assert abs(float(alpha[0]) - 1) < 1e-12, "alpha(0) = 1"
    assert abs(float(alpha[-1]) - end) < 1e-12, "alpha(1)"
    assert (alpha.diff() < 0).all(), "alpha falls"
    assert torch.allclose(schedule.dalpha(inside), slope, atol=1e-10), "dalpha is the derivative"
    assert torch.allclose(schedule.inverse(alpha), GRID, atol=1e-6), "inverse"


@pytest.mark.parametrize("schedule", [*SHIPPED, *OTHERS], ids=str)
def test_law(schedule):
    lawful(schedule)


def test_linear_with_eps_ends_above_zero():
    lawful(LinearSchedule(eps=1e-3), end=1e-3)


def test_float32_starts_at_exactly_one():
    for schedule in SHIPPED:
        assert schedule.alpha(torch.zeros(1)) == 1, schedule
        assert abs(schedule.alpha(torch.ones(1))) < 1e-6, schedule


@pytest.mark.parametrize("schedule", [*SHIPPED, *OTHERS, LinearSchedule(0.5), STEEP], ids=str)
def test_float32_times_lie_between_nought_and_one(schedule):
    """Whatever share is masked, from nothing to all: this is what a timed network is told."""
    t = schedule.inverse(1 - torch.linspace(0, 1, 129))
    assert t.isfinite().all()
    assert ((t >= 0) & (t <= 1)).all()
    assert (t.diff() >= 0).all()


@dataclass(frozen=True)
class WrongSlope(CosineSchedule):
    def dalpha(self, t):
        return LinearSchedule().dalpha(t)


@dataclass(frozen=True)
class Reversed(LinearSchedule):
    def alpha(self, t):
        return t


@dataclass(frozen=True)
class WrongInverse(CosineSchedule):
    def inverse(self, alpha):
        return 1 - alpha


@pytest.mark.parametrize("broken", [WrongSlope(), Reversed(), WrongInverse()])
def test_control_broken_schedules_are_caught(broken):
    with pytest.raises(AssertionError):
        lawful(broken)
