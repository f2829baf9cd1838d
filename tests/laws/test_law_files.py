"""Law files: every shipped component has one, and a custom component is tested with its own.

Each custom component has a wrong variant, which its law detects.
"""

import ast
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from code_blocks import blocks, copy_of_the_repository
from methods import MASKED, ROOT, package, text
from warm_python import python

from xlm_spec import laws
from xlm_spec.compiler import axes
from xlm_spec.compiler.build import build
from xlm_spec.compiler.components import COMPONENTS, component, values
from xlm_spec.diagnostics import Failed
from xlm_spec.laws import components
from xlm_spec.laws.law_files import replaced
from xlm_spec.laws.protocols import NEEDED
from xlm_spec.refresh.outcome import FileAction
from xlm_spec.workbench import verify
from xlm_spec.workbench.verified import record

pytestmark = pytest.mark.slow
STEPS = "with any model every step follows its enumerated distribution"
SETS = "sets of corrupted tokens follow their distribution"

# ---- shipped components --------------------------------------------------------------------------


UNTESTED = {"process": {"edits", "prompt_edits"}}  # tests of their names enumerate their methods


@pytest.mark.parametrize("folder", [*NEEDED, "head"])
def test_every_shipped_component_has_a_law(folder):
    needed = NEEDED[folder].names if folder in NEEDED else ("output",)
    for value in sorted({*values(folder)} - UNTESTED.get(folder, set())):
        law = import_module(f"{components.__name__}.{folder}.{value}_law")
        if "likelihood" in component(folder, value).functions and folder == "process":
            continue  # its exact model is built
        for name in needed:
            assert hasattr(law, name) or name in replaced(law), (folder, value, name)


FILES = sorted(COMPONENTS.glob("*/*_law.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda f: f"{f.parent.name}/{f.stem}")
def test_a_law_file_is_independent_of_its_component(file):
    """It imports torch, the standard library, the laws and other law files."""
    assert file.with_name(file.name.replace("_law", "")).exists()
    assert file.stem not in values(file.parent.name)
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            assert node.module.endswith("_law"), ast.unparse(node)
        elif isinstance(node, ast.ImportFrom):
            top = node.module.partition(".")[0]
            assert (
                node.module == "xlm_spec"
                or node.module == "xlm_spec.laws"
                or (top == "torch" or top in sys.stdlib_module_names)
            ), ast.unparse(node)


def test_the_laws_name_no_component_and_no_head():
    """Except `mask`, a field of `Vocab`, `stop`, an axis, and `leave_one_out`, a minimiser."""
    names = {v for a in axes.AXES for v in values(a.folder)} | {*values("head")}
    names -= {"mask", "stop", "leave_one_out"}
    for file in (ROOT / "xlm_spec" / "laws").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant):
                assert node.value not in names, (file.name, node.lineno, node.value)
            if isinstance(node, ast.Attribute):
                assert node.attr not in values("head"), (file.name, node.lineno, node.attr)


def test_a_change_in_a_law_changes_no_package(tmp_path):
    """And not the schema. The control: a change in a component."""
    copy = copy_of_the_repository(tmp_path / "copy")
    for file in (*copy.glob("xlm_spec/laws/*.py"), *copy.glob("templates/components/*/*_law.py")):
        file.write_text(file.read_text() + "# changed\n")
    line = [sys.executable, "-m", "xlm_spec"]
    more = {"cwd": copy, "env": os.environ | {"PYTHONPATH": str(copy)}}
    build_all = [*line, "build", "--check", *map(str, copy.glob("specs/*.yaml"))]
    assert subprocess.run(build_all, **more).returncode == 0
    schema = subprocess.run([*line, "schema"], capture_output=True, **more).stdout
    assert schema == (ROOT / "xlm_spec" / "spec.schema.json").read_bytes()
    mask = copy / "templates" / "components" / "process" / "mask.py"
    mask.write_text(mask.read_text().replace("x_t: corrupted", "x_t: these"))
    assert subprocess.run(build_all, **more).returncode == 1


# ---- custom components ---------------------------------------------------------------------------

FIRST = '''"""The first mask of each row, step by step."""

from collections.abc import Iterator

import torch
from torch import Generator

from ..types import Draw, State, Vocab


def time_grid(state: State, vocab: Vocab) -> Iterator[int]:
    """As many steps as the row with the most masks needs."""
    masked = (state.tokens == vocab.mask) & state.valid & ~state.fixed
    yield from range(int(masked.sum(1).max()))


def step(model, state: State, vocab: Vocab, draw: Draw, rng: Generator) -> State:
    """Unmasks the first masked position of each row that has one."""
    masked = (state.tokens == vocab.mask) & state.valid & ~state.fixed
    rows = masked.any(1).nonzero()[:, 0]
    col = masked[rows].long().argmax(1)
    hidden = model(state.tokens[rows], state.valid[rows])
    token = draw(model.token_logits(hidden[torch.arange(len(rows)), col]), rng)
    return state._replace(tokens=state.tokens.index_put((rows, col), token))
'''
LAST = FIRST.replace(
    "col = masked[rows].long().argmax(1)",
    "col = masked[rows].shape[1] - 1 - masked[rows].flip(1).long().argmax(1)",
)
FIRST_LAW = '''"""The law of `my_loop`: the first masked position, one per step."""

from xlm_spec.laws import LONGEST
from xlm_spec.laws.components.process.mask_law import Sampling


def steps(s: Sampling):
    return [lambda state: s.predictions(state).unmask(state, s.masked(state)[:1])] * LONGEST
'''


def spec(folder: Path, **files: str) -> Path:
    """A masked method whose sampler is `my_loop.py`, in a folder with these files."""
    folder.mkdir(exist_ok=True)
    for name, source in files.items():
        (folder / f"{name}.py").write_text(source)
    file = folder / "method.yaml"
    file.write_text(text(MASKED, sampler="./my_loop.py"))
    return file


def status(verified, law: str) -> list[str]:
    return [r.status for r in verified.results if r.law == law]


def status_of(folder: Path, name: str) -> list[str]:
    """The result of one law, for a package."""
    return [r.status for r in laws.verify_package(folder, [x for x in laws.LAWS if x.name == name])]


def test_a_custom_sampler_is_tested_with_its_law(tmp_path):
    file = spec(tmp_path, my_loop=FIRST, my_loop_law=FIRST_LAW)
    right = verify(str(file))
    assert right.sound
    assert status(right, STEPS) == ["held"]
    wrong = build(spec(tmp_path, my_loop=LAST), tmp_path / "out").folder
    assert status_of(wrong, STEPS) == ["failed"]


NO_LAW = "no law: sampler my_loop (no my_loop_law.py beside it): its steps are not verified"


def test_a_custom_sampler_without_a_law_is_reported(tmp_path):
    """In every output; no law is broken, but the method is not sound."""
    folder = build(spec(tmp_path, my_loop=FIRST), tmp_path / "out").folder
    done = verify(str(folder))
    text = done.text(quiet=True)
    assert f"  {NO_LAW}\n" in text
    assert "unverified" in text.splitlines()[0]
    output = done.as_json()
    assert not output["sound"]
    assert not done.broken
    unverified = [law["law"] for law in output["laws"] if law["status"] == "unverified"]
    assert unverified == ["every component has a law file", STEPS]
    assert all(NO_LAW in law["why"] for law in output["laws"] if law["status"] == "unverified")
    record(done, folder)
    assert f"| {STEPS} | not verified: {NO_LAW} |" in (folder / "README.md").read_text()
    line = [
        python(),
        "-m",
        "pytest",
        "-q",
        "-rs",
        "-p",
        "no:cacheprovider",
        "-k",
        "step or component",
    ]
    tested = subprocess.run([*line, "tests"], capture_output=True, text=True, cwd=folder)
    assert tested.returncode == 0, tested.stdout
    assert NO_LAW in tested.stdout


def test_a_package_contains_the_law_files_of_its_custom_components(tmp_path):
    """So it can be verified and built again from its own folder."""
    file = spec(tmp_path / "home", my_loop=FIRST, my_loop_law=FIRST_LAW)
    folder = build(file, tmp_path / "out").folder
    copied = folder / "tests" / "my_loop_law.py"
    assert copied.read_text() == FIRST_LAW
    for beside in (tmp_path / "home").iterdir():
        beside.unlink()
    assert verify(str(folder)).sound
    assert not build(folder / "spec.yaml").stale
    assert copied.read_text() == FIRST_LAW
    copied.write_text(FIRST_LAW.replace("[:1]", "[-1:]"))
    assert status_of(folder, STEPS) == ["failed"]


def test_a_build_removes_no_law_file(tmp_path):
    """It can be the only copy."""
    file = spec(tmp_path / "home", my_loop=FIRST, my_loop_law=FIRST_LAW)
    folder = build(file, tmp_path / "out").folder
    file.write_text(text(MASKED))
    assert "tests/my_loop_law.py" in build(file, tmp_path / "out").paths(FileAction.ORPHAN)
    assert (folder / "tests" / "my_loop_law.py").read_text() == FIRST_LAW


@pytest.mark.parametrize(
    ("law", "message"),
    [
        ('"""Nothing."""\n', "(my_loop_law.py has no `steps`)"),
        ("import nothing_of_this_name\n", "a law file can't be imported: ModuleNotFoundError"),
    ],
)
def test_a_law_file_without_a_law(law, message, tmp_path):
    verified = verify(str(spec(tmp_path, my_loop=FIRST, my_loop_law=law)))
    assert not verified.sound
    assert message in verified.results[0].line()
    assert verified.broken == ("imported" in message)


def test_a_rule_and_an_order_without_laws_are_reported(tmp_path):
    """The steps of their samplers are not verified; those of other samplers are."""
    for axis, value in (("tokens", "temperature"), ("order", "confidence")):
        source = (COMPONENTS / axis / f"{value}.py").read_text()
        (tmp_path / f"my_{axis}.py").write_text(source.replace("class ", "class My"))
    sampler = (
        "{a: {kind: fixed_budget, order: ./my_order.py}, b: {kind: ancestral, tokens: "
        "./my_tokens.py}, c: ancestral}"
    )
    m = package(tmp_path, MASKED, sampler=sampler)
    results = laws.verify_package(Path(m.__file__).parent.parent)
    reasons = [r.why for r in results if r.law == "every component has a law file"]
    assert [why.split("(")[0] for why in reasons] == [
        "no law: order my_order ",
        "no law: tokens my_tokens ",
    ]
    assert [r.figure.of for r in results if r.law == STEPS] == ["c"]


# ---- a process that selects the corrupted tokens itself ------------------------------------------

GUIDE = (ROOT / "docs" / "guides" / "component.md").read_text()


@pytest.mark.parametrize(
    ("old", "new", "law"),
    [
        ("(u * (n - size + 1)).long()", "(u * (n - size)).long()", SETS),  # never the last position
        ("x.valid & ~x.fixed", "x.valid", SETS),  # BOS, too
    ],
)
def test_a_custom_process_is_tested_with_its_law(old, new, law, tmp_path):
    process, law_file = blocks(GUIDE, "python")[0], blocks(GUIDE, "python")[-1]
    (tmp_path / "window.yaml").write_text(blocks(GUIDE, "yaml")[0])
    (tmp_path / "window_mask.py").write_text(process)
    (tmp_path / "window_mask_law.py").write_text(law_file)
    assert verify(str(tmp_path / "window.yaml")).sound
    assert old in process
    (tmp_path / "window_mask.py").write_text(process.replace(old, new))
    wrong = build(tmp_path / "window.yaml", tmp_path / "out").folder
    assert "failed" in status_of(wrong, law)


def test_the_name_of_a_law_file_is_not_allowed_for_a_component(tmp_path):
    spec(tmp_path, my_loop=FIRST, my_loop_law=FIRST)
    file = tmp_path / "method.yaml"
    file.write_text(text(MASKED, sampler="./my_loop_law.py"))
    with pytest.raises(Failed, match=r"is the name of the law file of `my_loop\.py`"):
        build(file, tmp_path)


def test_two_components_with_one_law_file_are_an_error(tmp_path):
    """Files of one name in two folders, each with a law file."""
    (tmp_path / "other").mkdir()
    spec(tmp_path, my_loop=FIRST, my_loop_law=FIRST_LAW)
    rule = (COMPONENTS / "tokens" / "temperature.py").read_text()
    (tmp_path / "other" / "my_loop.py").write_text(rule)
    (tmp_path / "other" / "my_loop_law.py").write_text('"""Another."""\n')
    file = tmp_path / "method.yaml"
    file.write_text(text(MASKED, sampler="{kind: ./my_loop.py, tokens: ./other/my_loop.py}"))
    with pytest.raises(Failed, match="is the law file of two components"):
        build(file, tmp_path)
