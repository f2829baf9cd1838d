"""`doctor`: what is installed, and whether a training step fits into memory."""

import importlib
import re

import pytest
import torch
from click.testing import CliRunner
from methods import ROOT
from package_runs import package_of, run

from xlm_spec.cli import cli
from xlm_spec.runtime import doctor as workflow
from xlm_spec.runtime.config.resolve_config import resolve_config
from xlm_spec.runtime.loading.layout import layout_of
from xlm_spec.runtime.machine import installed
from xlm_spec.runtime.machine.memory import peak_of

CPU = torch.device("cpu")
TASK = ["--task", str(ROOT / "tests" / "tiny_task.py"), "--size", "cpu"]


def figures(text):
    return {name: float(value) for name, value in re.findall(r"^(.+?) +([\d.]+) GB", text, re.M)}


def test_without_a_spec_it_shows_the_machine(monkeypatch):
    done = CliRunner().invoke(cli, ["doctor"])
    assert done.exit_code == 0
    shown = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert {"python", "xlm-spec", *installed.LIBRARIES, "cpu"} <= set(shown)
    assert re.fullmatch(r"\d+ cores, \d+\.\d GB free", shown["cpu"])
    monkeypatch.setitem(installed.LIBRARIES, "no_such_library", "hub")
    wanted = "not installed: pip install 'xlm-spec[hub]'"
    assert any(x.split(maxsplit=1) == ["no_such_library", wanted] for x in installed.lines())


@pytest.mark.parametrize(
    "sets",
    [
        ["--batch", "256"],  # activations
        ["--batch", "1", "--set", "backbone.width=512", "--set", "backbone.heads=8"],  # weights
        ["--batch", "128", "--set", "train.accumulate=2", "--set", "backbone.width=128"],
        ["--batch", "64", "--set", "train.precision=bf16-mixed"],
        ["--batch", "64", "--set", "train.optimizer=sgd", "--set", "backbone.width=256"],
    ],
    ids=["activations", "weights", "accumulate", "bf16", "sgd"],
)
@pytest.mark.slow
def test_the_estimate_is_near_the_peak(sets):
    """Within a fifth."""
    found = figures(run("mdlm", "doctor", *TASK, *sets).stdout)
    assert found["estimate"] == pytest.approx(found["measured peak"], rel=0.2)
    assert found["measured peak"] < found["free"]


@pytest.mark.slow
def test_the_state_of_an_optimiser_and_recomputed_blocks():
    big = ["--batch", "128", "--set", "backbone.layers=6"]
    plain, less = (
        figures(run("mdlm", "doctor", *TASK, *big, "--set", f"train.{x}").stdout)
        for x in ("optimizer=adamw", "gradient_checkpointing=true")
    )
    assert plain["optimizer"] == pytest.approx(2 * plain["weights"], abs=2e-3)
    assert less["activations"] < 0.5 * plain["activations"]
    assert less["measured peak"] < 0.6 * plain["measured peak"]


@pytest.mark.parametrize("name", ["mdlm", "flexmdm", "editflows"])
def test_activations_grow_with_the_batch(name):
    """The estimate of 64 sequences is within a tenth of the peak of their forward pass."""
    package = package_of(name)
    main = importlib.import_module(f"{name}.__main__")
    given = resolve_config(package, main.DATA, main.TRAIN, "star_mini", "cpu")
    layout = layout_of(package, given.task, given.config.vocab, given.data.fill)
    model = workflow.prepared(given, layout)
    x, kept = workflow.batch_of(given, layout, 64, CPU), []
    peak = peak_of(lambda: kept.append(workflow.loss_of(given, model, x, CPU)), CPU)
    few, many = (workflow.kept_by(given, layout, model, n) for n in (64, 64_000))
    assert few == pytest.approx(peak, rel=0.1)
    assert many == pytest.approx(1000 * few, rel=0.1)


def test_nothing_is_measured_of_what_does_not_fit(monkeypatch):
    monkeypatch.setattr(workflow, "free_of", lambda device: 20 * 10**9)
    monkeypatch.setattr(workflow, "measured", lambda *given: pytest.fail("a step was started"))
    done = run("mdlm", "doctor", *TASK[2:], "--task", "star_mini", "--batch", 100_000, check=False)
    assert done.returncode == 1
    assert figures(done.stdout)["estimate"] > 30
    assert "error[X612]: a training step needs about" in done.stderr


def test_what_does_not_fit_is_one_diagnostic(monkeypatch):
    monkeypatch.setattr(workflow, "free_of", lambda device: 10_000_000)
    done = run("mdlm", "doctor", *TASK, "--batch", "512", check=False)
    assert done.returncode == 1
    assert done.stderr.count("error[") == done.stderr.count("error[X612]") == 1
    assert "train.gradient_checkpointing=true" in done.stderr
    assert "measured peak" not in done.stdout


@pytest.mark.slow
def test_of_a_spec_with_a_task_beside_it(tmp_path):
    text = (ROOT / "specs" / "mdlm.yaml").read_text()
    (tmp_path / "sort.py").write_text((ROOT / "tests" / "tiny_task.py").read_text())
    spec = tmp_path / "mdlm.yaml"
    text = re.sub(r"^data:.*$", "data: {task: ./sort.py}", text, flags=re.M)
    spec.write_text(text.replace("name: mdlm", "name: sorter_of_doctor"))
    done = CliRunner().invoke(cli, ["doctor", str(spec), "--size", "cpu", "--batch", "4"])
    assert done.exit_code == 0, done.stderr
    assert "sorter_of_doctor on sort, size cpu, 32-true" in done.stdout
    assert figures(done.stdout)["measured peak"] > 0
    assert sorted(f.name for f in tmp_path.iterdir()) == ["mdlm.yaml", "sort.py"]
