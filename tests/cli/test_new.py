"""`xlm-spec new`: a spec to edit, the schema beside it, the package; nothing is overwritten."""

import json

import pytest
from click.testing import CliRunner
from methods import ROOT, text

from xlm_spec.cli import cli
from xlm_spec.compiler.axes import AXES, components_of
from xlm_spec.compiler.frontend.schema import current
from xlm_spec.compiler.new import presets
from xlm_spec.compiler.plan import plan_of
from xlm_spec.refresh import store


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def new(*words):
    return CliRunner().invoke(cli, ["new", *words])


def rest(text):
    """Without the lines of the schema and the name."""
    return [x for x in text.splitlines() if not x.startswith(("# yaml-lang", "name: "))]


def test_a_starter_names_every_value(here):
    done = new("ours")
    assert done.exit_code == 0, done.stderr
    text = (here / "specs" / "ours.yaml").read_text()
    for axis in AXES:
        for value in components_of(axis):
            assert value in text
    assert max(map(len, text.splitlines())) <= 100
    assert (here / "generated" / "ours" / "ours" / "objective.py").is_file()
    assert "python -m ours train" in done.stderr
    assert done.stdout == ""


def test_the_first_line_names_the_schema(here):
    new("ours")
    first = (here / "specs" / "ours.yaml").read_text().splitlines()[0]
    name = first.partition("$schema=")[2]
    assert json.loads((here / "specs" / name).read_text()) == current()


@pytest.mark.parametrize("preset", presets())
def test_a_preset_under_its_own_name_and_another(preset, here):
    shipped = (ROOT / "specs" / f"{preset}.yaml").read_text()
    assert new(preset).exit_code == 0
    assert new("mine", "--from", preset, "--into", "out").exit_code == 0
    for name in (preset, "mine"):
        text = (here / "specs" / f"{name}.yaml").read_text()
        assert rest(text) == rest(shipped)
        assert plan_of(here / "specs" / f"{name}.yaml").name == name
    assert (here / "out" / "mine" / "mine" / "model.py").is_file()


def test_no_spec_is_overwritten(here):
    new("ilm")
    file = here / "specs" / "ilm.yaml"
    file.write_text("mine\n")
    done = new("ilm")
    assert done.exit_code == 1
    assert done.stderr.startswith("error[X404]")
    assert file.read_text() == "mine\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["torch"], "X107]: `torch` is the name of another Python module"),
        (["lambda"], "X107]: `lambda` is a Python keyword"),
        (["Ours"], "X107]: `Ours` is not a valid name"),
        (["../ours"], "X107]: `../ours` is not a valid name"),
        (["a\nnoise: {}"], "X107]: `a noise: {}` is not a valid name"),
        (
            ["ours", "--from", "mdml"],
            "X105]: unknown preset `mdml`\n = help: did you mean `mdlm`",
        ),
    ],
)
def test_an_invalid_name(words, message, here):
    done = new(*words)
    assert done.exit_code == 1
    assert done.stderr.startswith(f"error[{message}")
    assert list(here.iterdir()) == []


def test_a_folder_that_cannot_be_written(here):
    (here / "specs").write_text("a file\n")
    done = new("ours")
    assert done.exit_code == 1
    assert done.stderr.startswith("error[X403]: cannot write the spec")


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("--help", False),
        ("axes", False),
        ("check SPEC", False),
        ("build SPEC --check", False),
        ("build SPEC --emit plan", False),
        ("build SPEC", True),
        ("lower SPEC", True),
    ],
)
def test_only_what_writes_a_package_or_its_plan_keeps_templates_at_home(
    words, kept, tmp_path, monkeypatch
):
    (tmp_path / "spec.yaml").write_text(text())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(store, "OURS", tmp_path / "bundle")
    (tmp_path / "bundle").write_bytes(b"# v2 git bundle\n" + b"0" * 40 + b" refs/tags/1\n\n")
    CliRunner().invoke(cli, words.replace("SPEC", "spec.yaml").split())
    assert (tmp_path / "home").exists() == kept
