"""Runs everything that README.md and CONTRIBUTING.md show."""

import os
import re
import shutil
import subprocess
import sys

import pytest
from code_blocks import blocks, copy_of_the_repository, keep_packages, shell
from methods import MASKED, ROOT, text
from warm_python import python

from xlm_spec.compiler.plan import plan_of

README = (ROOT / "README.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
COMMANDS = blocks(README, "sh")


@pytest.mark.slow
@pytest.mark.parametrize("script", COMMANDS, ids=lambda s: s.split("\n")[0])
def test_commands_of_the_readme(script, tmp_path):
    """The first ones in new interpreters, as a reader's."""
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    done = shell(script, tmp_path, cold=script == COMMANDS[0])
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", "generated/mdlm/README.md"])
def test_python_with_torch_alone(page):
    [script] = blocks((ROOT / page).read_text(), "python")
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT / "generated" / "mdlm",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("tensor(")


def test_the_training_step_by_hand_is_ten_lines():
    [script] = blocks(README, "python")
    step = script.split("loss = ")[0].split("config = ")[1] + script.split("loss = ")[1]
    assert len([x for x in step.split("*_, last")[0].splitlines() if x.strip()]) <= 12


def test_the_diagnostic_that_is_shown(tmp_path):
    [shown] = [b for b in blocks(README, "console") if "typo.yaml" in b]
    command, _, told = shown.partition("\n")
    spec = text(MASKED, noise="{process: absorb}")
    (tmp_path / "typo.yaml").write_text(spec)
    done = shell(command.removeprefix("$ "), tmp_path)
    assert done.returncode == 1
    assert done.stderr.strip() == told.strip()


def test_the_code_in_the_picture_is_the_code_that_is_generated():
    generated = (ROOT / "generated" / "mdlm" / "mdlm" / "objective.py").read_text()
    lines = re.findall(r"│ (\w+ = .*?|return .*?) +│$", README, re.M)
    assert len(lines) >= 6
    for line in lines:
        start = line.split("...")[0].rstrip()
        assert start in generated, line


def test_the_table_of_methods_names_every_spec_with_its_likelihood():
    says = {"none": "none", "exact": "exact", "objective": "lower bound", "own": "lower bound"}
    listed = {}
    for specs, claim in re.findall(r"^\| [^|]+ \| (`\w+`[^|]*) \| ([\w ]+) \|$", README, re.M):
        listed |= dict.fromkeys(re.findall(r"`(\w+)`", specs), claim)
    specs = {file.stem: plan_of(file) for file in (ROOT / "specs").glob("*.yaml")}
    assert listed == {k: says[plan.inferred["likelihood"]] for k, plan in specs.items()}


def test_the_commands_of_make_exist():
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.M))
    for page in (README, CONTRIBUTING):
        assert set(re.findall(r"make (\w+)", page)) - {"and"} <= targets


@pytest.fixture
def copy(tmp_path):
    return copy_of_the_repository(tmp_path / "copy")


@pytest.mark.slow
def test_adding_a_schedule_in_one_file(copy):
    """CONTRIBUTING.md, step by step: the file, the card, the spec, the build, the law."""
    keep_packages(copy, "mdlm")
    [component] = blocks(CONTRIBUTING, "python")
    [file] = re.findall(r"`(templates/components/schedule/\w+\.py)`", CONTRIBUTING)
    (copy / file).write_text(component)
    [noise] = blocks(CONTRIBUTING, "yaml")
    spec = text(MASKED, name="mdlm_rational").splitlines()
    spec = [noise.strip() if line.startswith("noise:") else line for line in spec]
    (copy / "specs" / "mdlm_rational.yaml").write_text("\n".join(spec) + "\n")
    for script in blocks(CONTRIBUTING, "sh"):
        done = shell(script, copy, PYTHONPATH=str(copy))
        assert done.returncode == 0, done.stderr
    config = (copy / "out" / "mdlm_rational" / "mdlm_rational" / "config.py").read_text()
    assert "schedule: RationalSchedule = RationalSchedule(k=3.0)" in config
    assert "rational" in (copy / "xlm_spec" / "spec.schema.json").read_text()
    law = "from laws.test_schedule import lawful\n"
    law += "from components.schedule.rational import RationalSchedule\n"
    law += "lawful(RationalSchedule()); lawful(RationalSchedule(k=3.0))\n"
    paths = os.pathsep.join(str(copy / p) for p in ("templates", "tests", "."))
    done = subprocess.run(
        [sys.executable, "-c", law],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": paths},
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_demo(copy):
    """`make demo` at a hundredth of its length: rows, columns, a generation, a clean checkout."""
    done = subprocess.run(
        [python(), "-m", "benchmarks.demo", "--steps", "25", "--split", "val"],
        cwd=copy,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(copy)},
    )
    assert done.returncode == 0, done.stderr
    head = next(line for line in done.stdout.splitlines() if line.startswith("method"))
    assert head.split() == shown_table().splitlines()[0].split()
    for row in ("autoregressive", "masked/ancestral", "masked/confidence"):
        assert f"\n{row}" in done.stdout
    assert "   5  " in done.stderr  # the last step of the generation
    assert "runs" not in {p.name for p in copy.iterdir()}


def shown_table() -> str:
    return next(b for b in blocks(README, "text") if b.startswith("method"))
