"""The comment that names the schema for editors: valid from where the spec is, or left out."""

import pytest
from methods import text
from packages import edit

from xlm_spec.compiler.build import build
from xlm_spec.compiler.emit.lower import copied
from xlm_spec.compiler.plan import plan_of
from xlm_spec.refresh.status import status

PLAIN = text()
LINE = "# yaml-language-server: $schema={}\n"
FROM_SPECS = LINE.format("../xlm_spec/spec.schema.json")
FROM_PACKAGE = LINE.format("../../xlm_spec/spec.schema.json")


@pytest.fixture
def spec(tmp_path):
    (tmp_path / "specs").mkdir()
    file = tmp_path / "specs" / "method.yaml"
    file.write_text(FROM_SPECS + PLAIN)
    return file


@pytest.fixture
def folder(spec, tmp_path):
    return build(spec, tmp_path / "generated").folder


@pytest.mark.parametrize(
    "line",
    [
        FROM_SPECS,
        LINE.format("spec.schema.json"),
        LINE.format("./spec.schema.json").replace("# ", "#\t"),
        FROM_SPECS.replace("\n", "\r\n"),
        FROM_SPECS.replace("\n", "\r"),
        "# $schema: ../spec.schema.json\n",
    ],
)
@pytest.mark.parametrize("before", ["", "# a comment\n"])
def test_a_relative_path_is_left_out(line, before):
    assert copied(before + line + PLAIN) == before + PLAIN
    assert copied(before + PLAIN + line) == before + PLAIN
    assert copied(before + line.rstrip()) == before


@pytest.mark.parametrize(
    "line",
    [
        LINE.format("https://example.org/spec.schema.json"),
        LINE.format("file:///home/me/spec.schema.json"),
        LINE.format("/home/me/spec.schema.json"),
        LINE.format("C:\\me\\spec.schema.json"),
        "# $schema: https://example.org/spec.schema.json\n",
        "# the $schema=../here is not for an editor\n",
        "description: |\n  # yaml-language-server: $schema=../of_a_text\n",
    ],
)
def test_control_everything_else_stays(line):
    assert copied(line + PLAIN) == line + PLAIN


def test_builds_and_status_agree(spec, folder):
    assert (folder / "spec.yaml").read_text() == PLAIN
    assert plan_of(spec).source == PLAIN
    assert not build(spec, folder.parent).stale
    assert not build(folder / "spec.yaml").stale
    assert [f for f in status(folder).files if f.states] == []


def test_a_line_that_the_user_adds_to_the_package_stays(spec, folder):
    inside = folder / "spec.yaml"
    inside.write_text(FROM_PACKAGE + PLAIN.replace("name: method", "name: method  # mine"))
    mine = inside.read_text()
    for source, into in ((inside, None), (inside, None), (spec, folder.parent)):
        assert not build(source, into).decisions
        assert inside.read_text() == mine
    states = {f.path: f.states for f in status(folder).files if f.states}
    assert states == {"spec.yaml": ("edited",)}
    edit(spec, "sampler: ", "sampler:  ")
    assert not build(spec, folder.parent).decisions
    assert inside.read_text() == mine.replace("sampler: ", "sampler:  ")


def test_a_package_moves_and_builds_another_one(folder, tmp_path):
    inside = folder / "spec.yaml"
    inside.write_text(FROM_PACKAGE + PLAIN)
    other = build(inside, tmp_path / "elsewhere" / "deep").folder
    assert (other / "spec.yaml").read_text() == PLAIN


def test_a_build_removes_the_line_that_an_earlier_version_copied(spec, folder, monkeypatch):
    with monkeypatch.context() as before:
        before.setattr("xlm_spec.compiler.emit.lower.copied", lambda text: text)
        assert build(spec, folder.parent).stale
    inside = folder / "spec.yaml"
    assert inside.read_text() == FROM_SPECS + PLAIN
    inside.write_text(inside.read_text() + "# mine\n")
    assert not build(spec, folder.parent).decisions
    assert inside.read_text() == PLAIN + "# mine\n"
