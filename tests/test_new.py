"""`xlm-spec new`: a spec to edit, the schema beside it, the package; nothing is overwritten."""

import json

import pytest
from click.testing import CliRunner
from making import ROOT

from xlm_spec.cli import cli
from xlm_spec.compiler.axes import AXES, cards
from xlm_spec.compiler.form.schema import current
from xlm_spec.compiler.new import presets
from xlm_spec.compiler.plan import plan_of


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def new(*words):
    return CliRunner().invoke(cli, ["new", *words])


def rest(text):
    """Without the lines that tell the schema and the name."""
    return [x for x in text.splitlines() if not x.startswith(("# yaml-lang", "name: "))]


def test_a_starter_names_every_value(here):
    done = new("ours")
    assert done.exit_code == 0, done.stderr
    text = (here / "specs" / "ours.yaml").read_text()
    for axis in AXES:
        for value in cards(axis):
            assert value in text
    assert max(map(len, text.splitlines())) <= 100
    assert (here / "generated" / "ours" / "ours" / "objective.py").is_file()
    assert "python -m ours train" in done.stderr
    assert done.stdout == ""


def test_the_first_line_leads_an_editor_to_the_schema(here):
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


def test_nothing_is_overwritten(here):
    new("ilm")
    file = here / "specs" / "ilm.yaml"
    file.write_text("mine\n")
    done = new("ilm")
    assert done.exit_code == 1
    assert done.stderr.startswith("error[X404]")
    assert file.read_text() == "mine\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["torch"], "X107]: a package called `torch` would hide another module"),
        (["lambda"], "X107]: `lambda` is a word of Python"),
        (["Ours"], "X107]: `Ours` is no name"),
        (["../ours"], "X107]: `../ours` is no name"),
        (["a\nnoise: {}"], "X107]: `a noise: {}` is no name"),
        (
            ["ours", "--from", "mdml"],
            "X105]: no preset is called `mdml`\n = help: did you mean `mdlm`",
        ),
    ],
)
def test_a_name_that_can_not_be(words, told, here):
    done = new(*words)
    assert done.exit_code == 1
    assert done.stderr.startswith(f"error[{told}")
    assert list(here.iterdir()) == []


def test_a_folder_that_cannot_be_written(here):
    (here / "specs").write_text("a file\n")
    done = new("ours")
    assert done.exit_code == 1
    assert done.stderr.startswith("error[X403]: cannot write the spec")
