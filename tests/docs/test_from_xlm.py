"""The page of XLM: its tests exist, guides run its commands, and no row is empty."""

import ast
import re
import shlex

import pytest
from code_blocks import shown
from methods import ROOT

PAGE = (ROOT / "docs" / "guides" / "from-xlm.md").read_text()
PAGES = [ROOT / "README.md", *(ROOT / "docs" / "guides").glob("*.md")]
SHOWN = re.compile(r"`([^`]+)`")


def rows(page):
    """The cells of each row of the tables, without the heads."""
    lines = [x for x in page.splitlines() if x.startswith("|")]
    cells = [[c.strip() for c in line.strip("|").split(" | ")] for line in lines]
    return [c for c in cells if c[0].strip("- ") and c[0] != "XLM"]


def known_tests():
    files = (ROOT / "tests").rglob("test_*.py")
    trees = (ast.parse(f.read_text()) for f in files)
    return {n.name for t in trees for n in t.body if isinstance(n, ast.FunctionDef)}


def commands():
    """The words of every command that a page runs."""
    for page in PAGES:
        for block in shown(page.read_text()):
            if block.language in ("sh", "console"):
                text = block.text.replace("\\\n", " ")
                lines = [x.removeprefix("$ ") for x in text.splitlines()]
                for line in lines:
                    for part in re.split(r"&&|\|", line):
                        yield words_of(part)


def words_of(line):
    try:
        return shlex.split(line, comments=True)
    except ValueError:  # text that a command prints
        return line.split()


def is_run(command, known):
    """Is a command run with these flags? `NAME` is any package."""
    words = command.split()
    at = 3 if words[0] == "python" else 1
    head, wanted = [w for w in words[: at + 1] if w != "NAME"], set(words[at + 1 :])
    return any(
        [w for i, w in enumerate(k[: at + 1]) if words[i] != "NAME"] == head and wanted <= set(k)
        for k in known
        if len(k) > at
    )


def test_each_row_is_shown_by_tests_or_commands():
    tests, known = known_tests(), [*commands()]
    assert len(rows(PAGE)) > 60
    for row in rows(PAGE):
        assert len(row) == 3, row
        assert all(row), row
        found = SHOWN.findall(row[2])
        assert found, row
        for each in found:
            exists = each in tests if each.startswith("test_") else is_run(each, known)
            assert exists, f"{each}: {row[0]}"


@pytest.mark.parametrize(
    "command",
    ["python -m NAME train --no-such-flag", "xlm-spec nothing", "python -m NAME evil --run"],
)
def test_control_a_command_that_no_page_runs(command):
    assert not is_run(command, [*commands()])


def test_control_a_test_that_does_not_exist():
    assert "test_that_nobody_wrote" not in known_tests()
    assert len(known_tests()) > 500
