"""The words of help texts, pages, guides and messages follow docs/reference/glossary.md."""

import argparse
import ast
import re
from collections.abc import Iterator

import click
import pytest
import torch
from methods import ROOT

from components.ops import open_gaps
from components.types import Examples
from xlm_spec.cli import cli
from xlm_spec.runtime.main import parser

GLOSSARY = (ROOT / "docs" / "reference" / "glossary.md").read_text()
CODE = re.compile(r"^```.*?^```$|`[^`\n]*`|<!--.*?-->|\]\([^)]*\)", re.M | re.S)


def wording() -> dict[str, list[str]]:
    """Each word to avoid -> the phrases in which it is allowed."""
    table = GLOSSARY.partition("## Wording")[2]
    rows = [line.split("|")[2:4] for line in table.splitlines() if line.startswith("| ")]
    return {
        word: re.findall(r"`([^`]+)`", allowed)
        for avoid, allowed in rows
        for word in re.findall(r"`([^`]+)`", avoid)
    }


def violations(text: str) -> list[str]:
    """The words to avoid that a text contains outside of code."""
    prose = re.sub(r"\s+", " ", CODE.sub(" ", text)).lower()
    found = []
    for word, allowed in wording().items():
        rest = prose
        for phrase in allowed:
            rest = rest.replace(phrase, "")
        if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", rest):
            found.append(word)
    return found


def messages(source: str) -> Iterator[str]:
    """The literals of diagnostics: arguments of `Diagnostic(...)`, and variables passed to it."""
    tree = ast.parse(source)
    calls = [
        n
        for n in ast.walk(tree)
        if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "Diagnostic"
    ]
    arguments = [a for c in calls for a in (*c.args, *(k.value for k in c.keywords))]
    names = {a.id for a in arguments if isinstance(a, ast.Name)}
    assigned = [
        n.value
        for n in ast.walk(tree)
        if isinstance(n, ast.Assign | ast.AugAssign)
        and names & {t.id for t in ast.walk(n) if isinstance(t, ast.Name)}
    ]
    for node in (*arguments, *assigned):
        for part in ast.walk(node):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.value


def help_texts() -> dict[str, str]:
    """The help of each command, by the command."""
    found = {}
    for name, command in cli.commands.items():
        texts = [command.help or ""]
        texts += [p.help or "" for p in command.params if isinstance(p, click.Option)]
        found[f"xlm-spec {name}"] = "\n".join(texts)
    [words] = [a for a in parser("NAME")._actions if isinstance(a, argparse._SubParsersAction)]
    for name, sub in words.choices.items():
        texts = [sub.description or "", *(a.help or "" for a in sub._actions)]
        found[f"python -m NAME {name}"] = "\n".join(texts)
    return found


def everything() -> dict[str, str]:
    """All texts that a user reads, by file or command."""
    pages = [
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "docs/index.md",
        "templates/package/README.md.jinja",
    ]
    files = [ROOT / p for p in pages]
    files += sorted((ROOT / "docs" / "guides").glob("*.md"))
    files += sorted((ROOT / "xlm_spec" / "pages").glob("*.md"))
    texts = {f.relative_to(ROOT).as_posix(): f.read_text() for f in files}
    for module in sorted((ROOT / "xlm_spec").rglob("*.py")):
        if literals := list(messages(module.read_text())):
            texts[module.relative_to(ROOT).as_posix()] = "\n".join(literals)
    return texts | help_texts()


TEXTS = everything()


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_follows_the_glossary(name):
    assert violations(TEXTS[name]) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The hidden sites of a row.", ["sites", "hidden"]),
        ("No network\ncalls.", ["network calls"]),
        ("A hidden state (B, L, D).", []),
        ("The key `sites`:\n\n```yaml\nsites: hidden\n```\n\n[rooms](sites.md)", ["rooms"]),
        ("Website, roommate, site-specific.", []),
    ],
)
def test_control_words_to_avoid_are_found(text, found):
    assert violations(text) == found


def test_control_literals_of_diagnostics_are_found():
    source = """
def check(folder):
    message = f"cannot read {folder}"
    message += " at this site"
    other = "unrelated"
    raise Failed(Diagnostic("X403", message, hint="the room", file=str(folder)))
"""
    found = list(messages(source))
    assert {"cannot read ", " at this site", "the room"} <= set(found)
    assert "unrelated" not in found


def bad_starts(text: str) -> list[str]:
    """The lines of a help text that do not start with a verb or a noun."""
    return [x for x in text.splitlines() if re.match(r"(of|by|with|as|to|so)\b", x, re.IGNORECASE)]


@pytest.mark.parametrize("name", help_texts())
def test_help_starts_with_a_verb_or_a_noun(name):
    assert help_texts()[name]
    assert bad_starts(help_texts()[name]) == []


def test_control_a_help_text_that_starts_with_of():
    assert bad_starts("number of runs\nof the optimiser\nofficial") == ["of the optimiser"]


def picture() -> dict[str, list[str]]:
    """The rows of the picture of `Examples`."""
    [block] = re.findall(r"```text\n(.*?)```", GLOSSARY, re.S)
    rows = [line.split() for line in block.splitlines()[1:]]
    return {name: cells[:8] for name, *cells in rows}


def test_the_picture_shows_the_gaps_of_its_row():
    rows = picture()
    row = {k: torch.tensor([[int(c) for c in rows[k]]]).bool() for k in ("valid", "fixed")}
    x = Examples(torch.zeros(1, 8, dtype=torch.long), **row)
    assert open_gaps(x)[0].tolist() == [c == "1" for c in rows["gaps"]]
    assert (x.valid & ~x.fixed)[0].tolist() == [c == "1" for c in rows["free"]]
    kept = [c for c, m in zip(rows["tokens"], rows["masked"], strict=True) if m != "MASK"]
    assert rows["dropped"] == (kept + ["PAD"] * 8)[:8]
