"""Schedules keep their laws with many parameters, and have exact end points in float32.

The tests run for every file under components/schedule.
"""

import math
from dataclasses import dataclass
from importlib import import_module

import pytest
import torch

from components.schedule.cosine import CosineSchedule
from components.schedule.cosine_of_t import CosineOfTSchedule
from components.schedule.flow_polynomial import FlowPolynomialSchedule
from components.schedule.geometric import GeometricSchedule
from components.schedule.hybrid import HybridSchedule
from components.schedule.linear import LinearSchedule
from components.schedule.logarithmic import LogarithmicSchedule
from components.schedule.polynomial import PolynomialSchedule
from components.schedule.sigma_linear import SigmaLinearSchedule
from xlm_spec.compiler.components import component, values
from xlm_spec.laws.schedule_laws import decrease_error, inverse_error, slope_error


def shipped(value: str):
    """The schedule of a file, with its defaults."""
    return getattr(
        import_module(f"components.schedule.{value}"), component("schedule", value).object
    )()


SHIPPED = [shipped(v) for v in values("schedule")]
STEEP = GeometricSchedule(1e-4, 100.0)  # alpha rounds to zero before t = 1
OTHERS = [
    *(PolynomialSchedule(0.5), PolynomialSchedule(3.0), GeometricSchedule(1e-2, 5.0)),
    *(CosineOfTSchedule(squared=True), FlowPolynomialSchedule(3.0), LogarithmicSchedule(20.0)),
]


def lawful(schedule, end: float = 0.0) -> None:
    """Asserts the laws of a schedule, with the functions of the library."""
    assert decrease_error(schedule.alpha) < 1e-12, "alpha decreases from 1"
    assert abs(schedule.alpha(torch.ones(1, dtype=torch.float64)) - end) < 1e-12, "the final value"
    assert slope_error(schedule) < 1e-10, "dalpha is the derivative"
    assert inverse_error(schedule) < 1e-10, "inverse"


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
def test_float32_times_are_in_0_1(schedule):
    """For every masked share: these are the times of a time-conditioned model."""
    t = schedule.inverse(1 - torch.linspace(0, 1, 129))
    assert t.isfinite().all()
    assert ((t >= 0) & (t <= 1)).all()
    assert (t.diff() >= 0).all()


def rates(schedule) -> torch.Tensor:
    """How fast alpha, and the share of random tokens, change near both ends."""
    t = torch.tensor([1e-9, 1e-5, 1 - 1e-5, 1 - 1e-9], dtype=torch.float64)
    share = schedule.drandom_share(t) if hasattr(schedule, "drandom_share") else 0 * t
    return torch.cat([schedule.dalpha(t), share]).abs()


@pytest.mark.parametrize("schedule", [*SHIPPED, *OTHERS[1:], HybridSchedule(0.5)], ids=str)
def test_rates_are_finite_at_the_ends(schedule):
    """So the times that training leaves out there, below 1e-5, have no visible share of a bound."""
    assert rates(schedule).max() < 40


def test_control_rates_of_a_root_of_t_are_not_finite():
    assert rates(PolynomialSchedule(0.5)).max() > 1e4


def test_hybrid_has_the_path_of_gidd():
    """q = ((1 - tau) [y = x] + tau [y = mask] + c / K) / (1 + c) at tau = sin(pi t / 2)^2."""
    t = torch.linspace(0, 1, 101, dtype=torch.float64)
    for p in (0.0, 0.1, 0.5):
        schedule = HybridSchedule(p)
        tau = torch.sin(math.pi / 2 * t) ** 2
        c = 2 * p / (1 - p) * torch.sqrt(tau * (1 - tau))
        random = (1 - schedule.alpha(t)) * schedule.random_share(t)
        assert torch.allclose(schedule.alpha(t), (1 - tau) / (1 + c), atol=1e-12)
        assert torch.allclose(random, c / (1 + c), atol=1e-12)
        inside = t[1:-1].clone().requires_grad_()
        (slope,) = torch.autograd.grad(schedule.random_share(inside).sum(), inside)
        assert torch.allclose(schedule.drandom_share(inside.detach()), slope, atol=1e-9)


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
def test_control_wrong_schedules_are_detected(broken):
    with pytest.raises(AssertionError):
        lawful(broken)


@pytest.mark.parametrize(
    ("schedule", "theirs"),
    [
        (CosineOfTSchedule(), lambda t: math.cos(math.pi * t / 2)),
        (CosineOfTSchedule(squared=True), lambda t: math.cos(math.pi * t / 2) ** 2),
        (FlowPolynomialSchedule(3.0), lambda t: (1 - t) ** 3),
        (LogarithmicSchedule(), lambda t: 1 - math.log1p(t) / math.log(2)),
        (SigmaLinearSchedule(7 - 1e-3), lambda t: math.exp(-(7 - 1e-3) * t)),
    ],
    ids=["cosine", "cosine squared", "cubic", "logarithmic", "sigma linear"],
)
def test_schedules_of_the_code_of_papers(schedule, theirs):
    """MDLM, flow matching, BD3-LM; `LinearNoise` of MDLM starts and ends elsewhere by 1e-3."""
    for t in (0.0, 0.1, 0.5, 0.9, 1.0):
        ours = float(schedule.alpha(torch.tensor(t, dtype=torch.float64)))
        assert abs(ours - theirs(t)) < (
            1e-3 if isinstance(schedule, SigmaLinearSchedule) else 1e-12
        )


@pytest.mark.parametrize(
    ("value", "word", "schedule", "theirs"),
    [
        ("cosine", "cosine", CosineSchedule(), math.cos(math.pi / 4)),
        ("linear", "linear", LinearSchedule(), math.exp(-(1e-3 + (7 - 1e-3) / 2))),
    ],
)
def test_a_hint_gives_the_figures_of_both_schedules_in_the_middle(value, word, schedule, theirs):
    ours = float(schedule.alpha(torch.tensor(0.5, dtype=torch.float64)))
    note = component("schedule", value).differs[word]
    assert f"{theirs:.3f}"[1:] + " there" in note
    assert f"{ours:.3f}"[1:] + " here" in note
