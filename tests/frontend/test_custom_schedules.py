"""X308: the formulas of a custom schedule, evaluated from its text."""

import importlib
import itertools
import math

import pytest
import torch
from code_blocks import blocks
from custom_files import messages
from methods import text

from xlm_spec.compiler.axes import SCHEDULE, components_of
from xlm_spec.compiler.docs.explain import pages
from xlm_spec.compiler.middle.rules.formula import Formula
from xlm_spec.compiler.plan import plan_of

SQUARED = blocks(pages()["X308"], "python")[1]


def scheduled(folder, old="", new=""):
    assert old in SQUARED
    source = SQUARED.replace("from torch", "import torch\nfrom torch", 1)
    (folder / "squared.py").write_text(source.replace(old, new, 1))
    spec = folder / "spec.yaml"
    spec.write_text(text(noise="{process: mask, schedule: ./squared.py}"))
    return spec


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("return 1 - t**2", "return t**2", "alpha(0) must be 1"),
        ("return 1 - t**2", "return 1 - t + t * t", "alpha(t) must not increase"),
        ("return 1 - t**2", "return 1 - 1e-5 - t**2", "alpha(0) must be 1"),
        (
            "return 1 - t**2",
            "return 1 - 0.999 * t**2",
            "`PRIOR_AT = {}` declares that alpha(1) = 0",
        ),
        ("return 1 - t**2", "return 1 - 2 * t", "alpha(t) must be a probability"),
        ("return 1 - t**2", "return 1 / (t - t)", "alpha(t) is undefined"),
        ("return 1 - t**2", "return torch.sqrt(t - 2)", "alpha(t) is undefined"),
        (
            "return 1 - t**2",
            "return self.b\n\n    @property\n    def b(self):\n        return 2.0",
            "(0)",
        ),
        ("-2 * t", "2 * t", "`dalpha` is not the derivative"),
        ("** 0.5", "** 2", "`inverse` is not the inverse"),
    ],
)
def test_a_schedule_that_does_not_fall(old, new, message, tmp_path):
    found = messages(scheduled(tmp_path, old, new))
    assert found[0].startswith("X308")
    assert any(message in f for f in found)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("return 1 - t**2", "u = t * t\n        return 1 - u"),  # a step in between
        ("return 1 - t**2", "return torch.where(t > 0.5, t, t)"),  # not worked out
    ],
)
def test_control_a_schedule_that_falls_or_is_not_understood(old, new, tmp_path):
    plan_of(scheduled(tmp_path, old, new))


@pytest.mark.parametrize("value", sorted(components_of(SCHEDULE)))
def test_formulas_are_worked_out_as_torch_does(value):
    """From the text of each schedule that ships, at its ranges' corners too."""
    component = components_of(SCHEDULE)[value]
    shipped = importlib.import_module(f"components.schedule.{value}")
    ends = [
        [p.default, *(e for e in (p.range.low, p.range.high) if e in p.range and math.isfinite(e))]
        if p.range
        else [False, True]
        for p in component.parameters
    ]
    for numbers in itertools.product(*ends):
        given = dict(zip((p.name for p in component.parameters), numbers, strict=True))
        formula = Formula(component.definitions[component.object].node, given)
        real = getattr(shipped, component.object)(**given)
        for name in ("alpha", "dalpha", "inverse"):
            for t in (0.1, 0.5, 0.9):
                exact = getattr(real, name)(torch.tensor(t, dtype=torch.float64)).item()
                assert formula(name, t) == pytest.approx(exact, rel=1e-9, abs=1e-12)
