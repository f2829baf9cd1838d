"""Writes docs/reference/ anew: from the components, and from what the commands say of themselves.

`make regen` calls it; `tests/test_docs.py` holds the pages to it.
"""

import argparse
import inspect
from pathlib import Path

import click

from xlm_spec.cli import cli
from xlm_spec.compiler.shown import explain
from xlm_spec.compiler.shown.markdown import escaped
from xlm_spec.compiler.shown.reference import FOLDERS, page, pages, table
from xlm_spec.runtime.main import parser

REFERENCE = Path(__file__).parent / "reference"


def reference() -> dict[str, str]:
    """Every page of the reference, by the name of its file."""
    own = {"commands.md": commands(), "diagnostics.md": diagnostics(), "index.md": contents()}
    return pages() | own


def contents() -> str:
    """The index: the language, its axes in the order of a spec, the rest."""
    listed = ["language", *FOLDERS, "settings", "tasks", "commands", "diagnostics"]
    return page(
        [
            "# Reference",
            "Derived from the components, the runtime's settings and the commands; `make regen` "
            "writes it anew. A page of an axis has a card for each of its values: how it stands in "
            "a spec, its equation, what it needs from others, its parameters, paper and source. "
            "`xlm-spec axes AXIS VALUE` prints the same card.",
            "```{toctree}\n:maxdepth: 1\n\n" + "\n".join(listed) + "\n```",
        ]
    )


def commands() -> str:
    """`xlm-spec` and `python -m NAME`: arguments, flags, meaning."""
    parts = ["# Commands", "## xlm-spec"]
    for name, command in cli.commands.items():
        words = " ".join(told(p)[0] for p in command.params if isinstance(p, click.Argument))
        parts += [f"### xlm-spec {name}", f"`xlm-spec {name} {words}`".replace(" `", "`")]
        parts += [escaped(inspect.cleandoc(command.help or ""))]
        parts += flags(told(p) for p in command.params if isinstance(p, click.Option))
    top = parser("NAME")
    parts += [
        "## A package",
        "In its folder, or where it is installed; `NAME` is the package's. Exit code 1: a "
        "diagnostic; 2: a usage error.",
    ]
    [words] = [a for a in top._actions if isinstance(a, argparse._SubParsersAction)]
    for name, sub in words.choices.items():
        parts += [f"### python -m NAME {name}", escaped(sub.description)]
        parts += flags(option(a) for a in sub._actions if a.dest != "help")
    return page(parts)


def diagnostics() -> str:
    """A section for each code: the page that `xlm-spec explain` prints."""
    return page(
        [
            "# Diagnostics",
            "Every code that a command prints. `xlm-spec explain X102` prints its section.",
            *(f"#{text.rstrip()}" for text in explain.pages().values()),
        ]
    )


def flags(rows) -> list[str]:
    found = [(escaped(f"`{flag}`"), escaped(meaning)) for flag, meaning in rows]
    return [table(("flag", "meaning"), found)] if found else []


def told(p: click.Parameter) -> tuple[str, str]:
    """A flag or an argument as it is written, and its meaning."""
    if isinstance(p, click.Argument):
        name = p.metavar or (p.name or "").upper()
        return (name if p.required or p.metavar else f"[{name}]"), ""
    assert isinstance(p, click.Option)
    choices = "|".join(getattr(p.type, "choices", ()))
    value = "" if p.is_flag else f" {choices or p.metavar or p.type.name.upper()}"
    default = f" (default: {p.default})" if isinstance(p.default, str) else ""
    return ", ".join(p.opts) + value, f"{p.help or ''}{default}"


def option(a: argparse.Action) -> tuple[str, str]:
    """A flag of argparse as it is written, and its meaning."""
    choices = "|".join(map(str, a.choices or ()))
    value = "" if a.nargs == 0 else f" {choices or a.metavar or a.dest.upper()}"
    given = a.default not in (None, False) and a.default != [] and "default" not in (a.help or "")
    default = f" (default: {a.default})" if given else ""
    return ", ".join(a.option_strings) + value, f"{a.help or ''}{default}".strip()


def main() -> None:
    made = reference()
    REFERENCE.mkdir(exist_ok=True)
    for page_of in REFERENCE.glob("*.md"):
        if page_of.name not in made:
            page_of.unlink()
    for name, text in made.items():
        (REFERENCE / name).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
