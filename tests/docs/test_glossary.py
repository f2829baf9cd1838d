"""The words of help texts, pages, guides and messages follow docs/reference/glossary.md."""

import argparse
import ast
import re
from collections.abc import Iterator
from functools import cache

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


@cache
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
    """The literals of several words outside of docstrings: messages, hints, titles and labels.

    A value in a message is `X`.
    """
    tree = ast.parse(source)
    nodes = [*ast.walk(tree)]
    docs = {n.value for n in nodes if isinstance(n, ast.Expr)}
    formatted = [n for n in nodes if isinstance(n, ast.JoinedStr)]
    parts = {part for n in formatted for part in n.values}
    for n in formatted:
        yield "".join(str(v.value) if isinstance(v, ast.Constant) else "X" for v in n.values)
    for n in nodes:
        text = n.value if isinstance(n, ast.Constant) and n not in docs | parts else None
        if isinstance(text, str) and text.count(" ") > 1:
            yield text


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
    files += sorted((ROOT / "docs" / "_results").glob("*.md"))
    reference = sorted((ROOT / "docs" / "reference").glob("*.md"))
    files += [f for f in reference if f.stem not in ("glossary", "diagnostics")]  # pages are above
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
        ("`X` is no table.", ["is no"]),
        ("There is no file; it is no longer read.", []),
        ("The law of the\nlearning rate of each site.", ["site", "law of the learning rate"]),
    ],
)
def test_control_words_to_avoid_are_found(text, found):
    assert violations(text) == found


def test_control_literals_are_found():
    source = """
def check(folder):
    \'\'\'The sites of a docstring.\'\'\'
    message = f"cannot read {folder}"
    message += " at this site"
    other = "key"
    raise wrong(message, hint="the room of it", file=str(folder))
"""
    assert {*messages(source)} == {"cannot read X", " at this site", "the room of it"}


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
