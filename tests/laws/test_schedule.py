"""Schedules: alpha falls from 1 to 0, dalpha is its derivative, inverse its inverse."""

from dataclasses import dataclass

import pytest
import torch

from components.schedule.cosine import CosineSchedule
from components.schedule.linear import LinearSchedule

GRID = torch.linspace(0, 1, 401, dtype=torch.float64)


def lawful(schedule, end: float = 0.0) -> None:
    """The law of a schedule, on a grid in float64."""
    t = GRID.clone().requires_grad_()
    alpha = schedule.alpha(t)
    (slope,) = torch.autograd.grad(alpha.sum(), t)
    alpha = alpha.detach()
    assert abs(float(alpha[0]) - 1) < 1e-12, "alpha(0) = 1"
    assert abs(float(alpha[-1]) - end) < 1e-12, "alpha(1)"
    assert (alpha.diff() < 0).all(), "alpha falls"
    assert torch.allclose(schedule.dalpha(t), slope, atol=1e-10), "dalpha is the derivative"
    assert torch.allclose(schedule.inverse(alpha), GRID, atol=1e-6), "inverse"


@pytest.mark.parametrize("schedule", [LinearSchedule(), CosineSchedule()])
def test_law(schedule):
    lawful(schedule)


def test_linear_with_eps_ends_above_zero():
    lawful(LinearSchedule(eps=1e-3), end=1e-3)


def test_float32_starts_at_exactly_one():
    zero = torch.zeros(1)
    assert LinearSchedule().alpha(zero) == 1
    assert CosineSchedule().alpha(zero) == 1


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
