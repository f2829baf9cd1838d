"""A bound requires alpha(0) = 1 and alpha(1) = 0: a custom schedule declares it, `verify` and the
runtime evaluate it.

The compiler evaluates simple formulas (tests/frontend/test_custom_schedules.py). Those here it
cannot evaluate.
"""

import json
import subprocess

import pytest
from methods import text
from warm_python import python

from xlm_spec.compiler.build import build
from xlm_spec.compiler.components import COMPONENTS
from xlm_spec.compiler.plan import checked, plan_of
from xlm_spec.workbench import verify

pytestmark = pytest.mark.slow

LAW = "where the method has a bound, alpha runs from 1 to 0"
SCHEDULE = '''"""alpha(t) = first - (first - last) t."""

from dataclasses import dataclass

import torch
from torch import Tensor

DECLARED

@dataclass(frozen=True)
class Straight:
    """alpha(t) = first - (first - last) t."""

    first: float = 1.0  # share of clean tokens at t = 0; in (0, 1]
    last: float = 0.0  # share of clean tokens at t = 1; in [0, 1)

    def alpha(self, t: Tensor) -> Tensor:
        return torch.lerp(torch.full_like(t, self.first), torch.full_like(t, self.last), t)

    def dalpha(self, t: Tensor) -> Tensor:
        return torch.full_like(t, self.last - self.first)

    def inverse(self, alpha: Tensor) -> Tensor:
        return ((self.first - alpha) / (self.first - self.last)).clamp(0, 1)
'''


def spec(folder, declared="", loss="[cross_entropy: {weight: elbo}]", **numbers):
    (folder / "straight.py").write_text(SCHEDULE.replace("DECLARED", declared))
    schedule = json.dumps({"kind": "./straight.py"} | numbers)
    file = folder / "method.yaml"
    noise = f"{{process: mask, time: iid, count: bernoulli, schedule: {schedule}}}"
    file.write_text(text(noise=noise, loss=loss))
    return file


def claims_a_bound(file) -> bool:
    return "log_likelihood_bound" in plan_of(file).exports


def warnings(file) -> list[str]:
    return [d.code for d in checked(file)[1]]


@pytest.mark.parametrize("declared", ["PRIOR_AT = {}", 'PRIOR_AT = {"first": 1.0, "last": 0.0}'])
def test_a_right_schedule_has_a_bound_and_keeps_the_law(declared, tmp_path):
    file = spec(tmp_path, declared)
    assert claims_a_bound(file)
    assert warnings(file) == []
    by_law = {(r.law, r.figure.of): r for r in verify(str(file)).results if r.figure}
    assert by_law[LAW, "t = 0"].status == by_law[LAW, "t = 1"].status == "held"
    assert {r.status for r in by_law.values()} == {"held"}


@pytest.mark.parametrize("loss", ["cross_entropy", "[cross_entropy: {weight: elbo}]"])
def test_without_a_declaration_there_is_no_bound(loss, tmp_path):
    """Although alpha runs from 1 to 0."""
    file = spec(tmp_path, "", loss)
    assert not claims_a_bound(file)
    assert warnings(file) == ["X353"]
    [found] = checked(file)[1]
    assert "`straight` does not declare where alpha(1) = 0" in found.message
    assert "PRIOR_AT = {}" in found.hint
    by_law = {r.law: r for r in verify(str(file)).results}
    assert by_law[LAW].status == "n/a"


def test_a_method_that_has_no_bound_anyway_gets_no_warning(tmp_path):
    source = (COMPONENTS / "loss" / "cross_entropy.py").read_text()
    source = source.replace("def cross_entropy(", "def mine(").replace("ELBO_TERM = True\n", "")
    (tmp_path / "mine.py").write_text(source)
    assert warnings(spec(tmp_path, "", "./mine.py")) == []


@pytest.mark.parametrize("numbers", [{"last": 0.01}, {"first": 0.99}])
def test_other_parameters_than_the_declared_give_no_bound(numbers, tmp_path):
    file = spec(tmp_path, 'PRIOR_AT = {"first": 1.0, "last": 0.0}', **numbers)
    assert not claims_a_bound(file)
    assert warnings(file) == ["X353"]


@pytest.mark.parametrize(
    ("numbers", "time", "off"), [({"last": 0.01}, "t = 1", 0.01), ({"first": 0.99}, "t = 0", 0.01)]
)
def test_a_wrong_declaration_breaks_the_law(numbers, time, off, tmp_path):
    file = spec(tmp_path, "PRIOR_AT = {}", **numbers)
    assert claims_a_bound(file)  # the compiler runs no code
    found = verify(str(file))
    assert not found.sound
    failed = [r for r in found.results if r.law == LAW and r.status == "failed"]
    assert [r.figure.of for r in failed] == [time]
    assert failed[0].figure.value == pytest.approx(off)


@pytest.mark.parametrize(
    ("sets", "likelihood"),
    [
        ([], "lower bound"),
        (["noise.schedule.last=0.01"], "no bound"),
        (["noise.schedule.first=0.99"], "no bound"),
    ],
)
def test_a_run_evaluates_the_ends_with_its_settings(sets, likelihood, tmp_path):
    """Although the file declares that they hold for all parameter values."""
    folder = build(spec(tmp_path, "PRIOR_AT = {}"), tmp_path).folder
    words = [w for s in sets for w in ("--set", s)]
    command = [python(), "-m", "method", "info", "--task", "star_mini", "--size", "cpu"]
    done = subprocess.run([*command, *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"likelihood   {likelihood}" in done.stdout
