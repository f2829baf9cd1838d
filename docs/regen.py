"""Regenerates docs/reference/ from the components and the help texts of the commands.

`make regen` calls it; `tests/docs/test_docs.py` checks that the pages are up to date.
"""

import argparse
import inspect
import re
from pathlib import Path

import click

from xlm_spec.cli import cli
from xlm_spec.compiler.docs import explain
from xlm_spec.compiler.docs.markdown import escaped
from xlm_spec.compiler.docs.reference import FOLDERS, declarations_table, page, pages, table
from xlm_spec.runtime.main import parser

REFERENCE = Path(__file__).parent / "reference"
CONTRIBUTING = Path(__file__).parent.parent / "CONTRIBUTING.md"
DECLARED = re.compile(r"(<!-- declarations: .*? -->\n).*?(<!-- end of declarations -->)", re.S)
WRITTEN = ("glossary.md",)  # pages of the reference that are written by hand


def reference() -> dict[str, str]:
    """Every generated page of the reference, by file name."""
    own = {"commands.md": commands(), "diagnostics.md": diagnostics(), "index.md": contents()}
    return pages() | own


def contents() -> str:
    """The index: the language, its axes in the order of a spec, the other pages."""
    listed = ["glossary", "language", *FOLDERS, "declarations"]
    listed += ["settings", "tasks", "commands", "diagnostics"]
    return page(
        [
            "# Reference",
            "`make regen` derives these pages from the components, the runtime's settings and the "
            "commands. Only the [glossary](glossary.md) is written by hand. The page of an axis "
            "has a card for each value: its line in a spec, its equation, what it requires, its "
            "parameters, paper and source. `xlm-spec axes AXIS VALUE` prints the same card.",
            "```{toctree}\n:maxdepth: 1\n\n" + "\n".join(listed) + "\n```",
        ]
    )


def commands() -> str:
    """The commands `xlm-spec` and `python -m NAME` with their arguments and flags."""
    parts = ["# Commands", "## xlm-spec"]
    for name, command in cli.commands.items():
        words = " ".join(parameter(p)[0] for p in command.params if isinstance(p, click.Argument))
        parts += [f"### xlm-spec {name}", f"`xlm-spec {name} {words}`".replace(" `", "`")]
        parts += [escaped(inspect.cleandoc(command.help or ""))]
        parts += flags(parameter(p) for p in command.params if isinstance(p, click.Option))
    top = parser("NAME")
    parts += [
        "## A package",
        "Run these in the package's folder, or anywhere if it is installed. `NAME` is the name of "
        "the package. Exit code 1: a diagnostic; 2: a usage error.",
    ]
    [words] = [a for a in top._actions if isinstance(a, argparse._SubParsersAction)]
    for name, sub in words.choices.items():
        parts += [f"### python -m NAME {name}", escaped(sub.description)]
        parts += flags(option(a) for a in sub._actions if a.dest != "help")
    return page(parts)


def diagnostics() -> str:
    """A section for each code: its page."""
    return page(
        [
            "# Diagnostics",
            "All codes of diagnostics. `xlm-spec explain X102` prints one of these sections.",
            *(f"#{text.rstrip()}" for text in explain.pages().values()),
        ]
    )


def flags(rows) -> list[str]:
    found = [(escaped(f"`{flag}`"), escaped(meaning)) for flag, meaning in rows]
    return [table(("flag", "meaning"), found)] if found else []


def parameter(p: click.Parameter) -> tuple[str, str]:
    """The syntax and the meaning of a flag or an argument of click."""
    if isinstance(p, click.Argument):
        name = p.metavar or (p.name or "").upper()
        return (name if p.required or p.metavar else f"[{name}]"), ""
    assert isinstance(p, click.Option)
    choices = "|".join(getattr(p.type, "choices", ()))
    value = "" if p.is_flag else f" {choices or p.metavar or p.type.name.upper()}"
    default = f" (default: {p.default})" if isinstance(p.default, str) else ""
    return ", ".join(p.opts) + value, f"{p.help or ''}{default}"


def option(a: argparse.Action) -> tuple[str, str]:
    """The syntax and the meaning of a flag of argparse."""
    choices = "|".join(map(str, a.choices or ()))
    value = "" if a.nargs == 0 else f" {choices or a.metavar or a.dest.upper()}"
    given = a.default not in (None, False) and a.default != [] and "default" not in (a.help or "")
    default = f" (default: {a.default})" if given else ""
    return ", ".join(a.option_strings) + value, f"{a.help or ''}{default}".strip()


def contributing() -> str:
    """CONTRIBUTING.md with the table of declarations as it is now."""
    text = CONTRIBUTING.read_text(encoding="utf-8")
    return DECLARED.sub(lambda m: f"{m[1]}\n{declarations_table()}\n\n{m[2]}", text)


def main() -> None:
    made = reference()
    REFERENCE.mkdir(exist_ok=True)
    for page_of in REFERENCE.glob("*.md"):
        if page_of.name not in (*made, *WRITTEN):
            page_of.unlink()
    for name, text in made.items():
        (REFERENCE / name).write_text(text, encoding="utf-8", newline="\n")
    CONTRIBUTING.write_text(contributing(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
