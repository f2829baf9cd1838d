"""The pages of `xlm-spec explain`: one for each code; the specs on them fail, and are corrected.

A new code needs only one file, `xlm_spec/pages/<code>.md`.
"""

import difflib
import re
import shlex

import pytest
from click.testing import CliRunner
from code_blocks import blocks
from methods import MASKED, ROOT, text

from xlm_spec.cli import cli
from xlm_spec.compiler.docs.explain import pages, title
from xlm_spec.compiler.plan import checked
from xlm_spec.diagnostics import Failed
from xlm_spec.runtime.main import parser

OF_SPECS = [code for code in pages() if code[1] in "123"]
OF_COMMANDS = [code for code in pages() if code not in OF_SPECS]
ALSO = {"X207": {"X303"}}  # every shipped backbone without a cache is time-conditioned
NAMED = re.compile(r"in `(\w+\.py)`:$", re.M)  # a component of the spec's author
PARTED = (
    ["Rejected", "Corrected"],
    ["Warning", "Corrected"],
)  # how the text before each spec begins


def run(*words):
    return CliRunner().invoke(cli, [str(w) for w in words])


def codes_of(file) -> set[str]:
    """The codes of a spec's errors and warnings."""
    try:
        return {d.code for d in checked(file)[1]}
    except Failed as e:
        return {d.code for d in e.diagnostics}


def changed(a: str, b: str) -> int:
    """The number of removed and added lines."""
    return sum(line[0] in "+-" for line in difflib.ndiff(a.splitlines(), b.splitlines()))


def misused(script: str) -> list[str]:
    """The lines of a script that call one of our commands with invalid arguments."""
    bad = []
    for line in script.splitlines():
        words = [w for w in shlex.split(line) if not re.fullmatch(r"[A-Z_]+=.*", w)]
        try:
            if words[0] == "xlm-spec":
                cli.commands[words[1]].make_context(words[1], words[2:])
            elif words[:2] == ["python", "-m"]:
                parser(words[2]).parse_args(words[3:])
        except (Exception, SystemExit):
            bad.append(line)
    return bad


def test_every_code_has_a_page_and_every_page_a_code():
    sources = (ROOT / "xlm_spec").rglob("*.py")
    raised = {c for s in sources for c in re.findall(r'"(X\d{3})"', s.read_text())}
    assert len(raised) > 30
    assert list(pages()) == sorted(raised)


@pytest.mark.parametrize("code", pages())
def test_a_page_is_short_and_begins_with_its_code(code):
    lines = pages()[code].splitlines()
    assert re.fullmatch(rf"# {code}: [A-Z]\S*( \S+){{1,5}}", lines[0])
    assert [line for line in lines[1:] if line.startswith("#")] == []
    assert len(lines) <= 66
    assert max(map(len, lines)) <= 90


@pytest.mark.parametrize("code", OF_SPECS)
def test_the_first_spec_has_this_code_and_the_corrected_one_passes(code, tmp_path):
    page = pages()[code]
    assert re.findall(r"^(Rejected|Warning|Corrected)\b.*:\n\n```\w+$", page, re.M) in PARTED
    specs, components = blocks(page, "yaml"), blocks(page, "python")
    file = tmp_path / "spec.yaml"
    for place, codes in ((0, {code} | ALSO.get(code, set())), (-1, set())):
        file.write_text(specs[place])
        for component in components[place:][:1]:
            (tmp_path / NAMED.search(page)[1]).write_text(component)
        assert codes_of(file) == codes
    assert 1 <= sum(changed(b[0], b[-1]) for b in (specs, components) if b) <= 5


def test_control_a_spec_that_fails_with_another_code(tmp_path):
    (tmp_path / "spec.yaml").write_text(text(MASKED, sampler="fixed_budget"))
    assert codes_of(tmp_path / "spec.yaml") == {"X203"}
    assert changed("a\nb\nc\n", "a\nd\nc\ne\n") == 3


@pytest.mark.parametrize("code", OF_COMMANDS)
def test_the_commands_that_are_shown_exist(code):
    scripts = blocks(pages()[code], "sh")
    assert scripts
    assert [line for script in scripts for line in misused(script)] == []


@pytest.mark.parametrize(
    "line",
    [
        "xlm-spec biuld specs/mdlm.yaml",
        "xlm-spec build specs/mdlm.yaml --onto out",
        "python -m mdlm train --resumed",
        "XLM_SPEC_CACHE=x python -m mdlm eval",
    ],
)
def test_control_a_command_that_does_not_exist(line):
    assert misused(f"ls\n{line}\n") == [line]


@pytest.mark.parametrize("word", ["X305", "x305", "305"])
def test_a_page_is_printed(word):
    done = run("explain", word)
    assert done.exit_code == 0
    assert done.stdout == pages()["X305"]
    assert done.stderr == ""


def test_several_pages_and_the_list_of_all():
    assert run("explain", "X305", "102").stdout == f"{pages()['X305']}\n{pages()['X102']}"
    listed = run("explain").stdout.splitlines()
    assert listed == [f"{code}  {title(code)}" for code in pages()]


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("X150", "X118 (Attribute does not exist)"),
        ("torch", "lists all codes"),
        ("../X102", "lists all codes"),
        ("9" * 5000, "lists all codes"),
        ("", "lists all codes"),
    ],
    ids=lambda w: w[:10],
)
def test_an_unknown_code(word, told):
    done = run("explain", "X102", word)
    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"error[X105]: unknown code `{word[:99]}")
    assert told in done.stderr


def test_a_command_names_explain_once(tmp_path):
    specs = [tmp_path / "x203.yaml", tmp_path / "x105.yaml"]
    specs[0].write_text(text(MASKED, sampler="fixed_budget"))
    specs[1].write_text(text(MASKED, noise="{process: absorb}"))
    more = "more: xlm-spec explain X203 X105"
    for words in (["check", *specs], ["build", *specs, "--emit", "spec"]):
        done = run(*words)
        assert done.exit_code == 1
        assert done.stderr.count("more:") == 1
        assert done.stderr.splitlines()[-1] == more
    assert run("lower", specs[0]).stderr.splitlines()[-1] == "more: xlm-spec explain X203"
    assert run(*shlex.split(more)[2:]).exit_code == 0  # as a person types it
    for words in (["check", "--json", *specs], ["check", ROOT / "specs" / "mdlm.yaml"]):
        assert "more:" not in run(*words).stderr
