"""The import lines: compiler without torch, runtime without compiler, package and laws with torch.

Each in a process where the others can't be imported.
"""

import subprocess
import sys

import pytest
from methods import ROOT
from scheduling import shares

GUARD = """
import sys

class Closed:
    def find_spec(self, name, path=None, target=None):
        if any(name == c or name.startswith(c + ".") for c in {closed!r}):
            raise ImportError("closed: " + name)

sys.meta_path.insert(0, Closed())
sys.path[:0] = {paths!r}
"""
COMPILER_NEEDS = ["click", "jsonschema", "ruamel", "copier", "jinja2"]
RUNTIME_NEEDS = ["torch", "lightning", "torchmetrics", "datasets", "numpy"]


def run(code: str, closed: list[str], paths: list[str] = ()) -> subprocess.CompletedProcess:
    code = GUARD.format(closed=closed, paths=[str(ROOT), *paths]) + code
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)


BUILD = """
from xlm_spec.compiler.plan import plan_of
from xlm_spec.compiler.emit.render import render
print(len(render(plan_of("specs/mdlm.yaml"))))
"""

RUNTIME = """
import importlib, pkgutil
import xlm_spec.runtime
for m in pkgutil.walk_packages(xlm_spec.runtime.__path__, "xlm_spec.runtime."):
    importlib.import_module(m.name)
"""

PACKAGE = """
import importlib, pkgutil
import {name}
for m in pkgutil.walk_packages({name}.__path__, "{name}."):
    if not m.name.endswith("__main__"):
        importlib.import_module(m.name)
config = {name}.Config.small()
model = {name}.Model(config)
"""


def test_the_compiler_builds_without_torch_and_without_copier():
    done = run(BUILD, [*RUNTIME_NEEDS, "copier", "xlm_spec.runtime", "xlm_spec.workbench"])
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 15


@pytest.mark.slow
def test_the_runtime_works_without_the_compiler():
    closed = [c for c in COMPILER_NEEDS if c != "jinja2"]  # torch itself imports jinja2
    done = run(RUNTIME, [*closed, "xlm_spec.compiler", "xlm_spec.workbench"])
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", shares(["mdlm", "arlm", "mdlm_cosine"], 3))
def test_a_package_needs_torch_alone(name):
    closed = ["lightning", "torchmetrics", "datasets", "xlm_spec", "click", "jsonschema", "ruamel"]
    done = run(PACKAGE.format(name=name), closed, [str(ROOT / "generated" / name)])
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "closed"),
    [
        ("import xlm_spec.runtime.training.harness", ["lightning"]),
        ("import xlm_spec.compiler.build", ["jsonschema"]),
        ("import mdlm", ["torch"]),
    ],
)
def test_control_a_closed_import_fails(code, closed):
    done = run(code, closed, [str(ROOT / "generated" / "mdlm")])
    assert done.returncode == 1
    assert f"closed: {closed[0]}" in done.stderr


@pytest.mark.slow
def test_the_star_path_imports_no_datasets():
    code = """
import xlm_spec.runtime.training.train, xlm_spec.runtime.evaluation.evaluate
import xlm_spec.runtime.tasks.star_mini
assert "datasets" not in sys.modules
"""
    assert run(code, []).returncode == 0


def test_compare_without_the_runtime_says_what_to_install():
    code = """
from click.testing import CliRunner
from xlm_spec.cli import cli
done = CliRunner().invoke(cli, ["compare", "specs/arlm.yaml", "--task", "star_mini"])
print(done.output)
assert done.exit_code == 1
"""
    done = run(code, RUNTIME_NEEDS)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "error[X802]" in done.stdout
    assert "pip install 'xlm-spec[train]'" in done.stdout


def test_help_is_light():
    code = """
from click.testing import CliRunner
from xlm_spec.cli import cli
assert CliRunner().invoke(cli, ["--help"]).exit_code == 0
assert not {"torch", "jsonschema", "jinja2", "ruamel.yaml"} & set(sys.modules)
"""
    done = run(code, [])
    assert done.returncode == 0, done.stderr


def test_check_needs_little():
    """Neither what runs packages, nor what updates them."""
    code = """
from click.testing import CliRunner
from xlm_spec.cli import cli
assert CliRunner().invoke(cli, ["check", "specs/mdlm.yaml"]).exit_code == 0
assert "jsonschema" in sys.modules
assert not {"torch", "numpy", "lightning", "copier", "jinja2", "yaml"} & set(sys.modules)
"""
    done = run(code, [])
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_every_benchmark_can_be_imported():
    """They run for hours; a name that is not there is told now."""
    code = """
import importlib, pkgutil
import benchmarks
for m in pkgutil.walk_packages(benchmarks.__path__, "benchmarks."):
    if not m.name.endswith("__main__") and "_side" not in m.name:
        importlib.import_module(m.name)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


LAWS = """
import importlib, pkgutil
import xlm_spec.laws
for m in pkgutil.walk_packages(xlm_spec.laws.__path__, "xlm_spec.laws."):
    importlib.import_module(m.name)
"""


def test_the_laws_need_torch_alone():
    closed = [*COMPILER_NEEDS, "lightning", "torchmetrics", "datasets", "yaml", "safetensors"]
    closed += [f"xlm_spec.{part}" for part in ("compiler", "runtime", "workbench", "refresh")]
    done = run(LAWS, closed)
    assert done.returncode == 0, done.stderr
