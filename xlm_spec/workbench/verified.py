"""What a package's README says of its laws: which were held, with which version, of which code."""

from pathlib import Path

import torch

from xlm_spec import __version__
from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.refresh.places import content, place, replace
from xlm_spec.refresh.recorded import BEGIN, END, code_of
from xlm_spec.workbench.laws import Verified


def record(done: Verified, folder: Path) -> None:
    """Writes it. Raises Failed (X403, X413) where there is no place for it."""
    readme = place(folder, "README.md")
    text = (content(readme) or b"").decode("utf-8", "surrogateescape")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        hint = f"a build writes it; by hand: {BEGIN.strip()} and {END.strip()}, each on a line"
        told = "the README has no place for what was verified"
        raise Failed(Diagnostic("X413", told, hint, str(readme)))
    now = f"{before}{begin}\n{told_of(done, folder)}\n{end}{after}"
    replace(readme, now.encode("utf-8", "surrogateescape"))


def told_of(done: Verified, folder: Path) -> str:
    """A sentence and a row of Markdown for each law."""
    versions = f"xlm-spec {__version__} and torch {torch.__version__.partition('+')[0]}"
    code = f"of the code whose SHA-256 begins with\n`{code_of(folder)}`"
    head = f"With {versions}, {code}: {done.counted}.\n"
    laws: dict[str, list] = {}
    for r in done.results:
        laws.setdefault(r.law, []).append(r)
    rows = [f"| {law} | {said(results)} |" for law, results in laws.items()]
    return "\n".join([head, "| law | |", "|---|---|", *rows, ""])


def said(results: list) -> str:
    """`held`, of what; or what else came of it."""
    if any(r.status == "n/a" for r in results):
        return f"does not apply: {results[0].why}"
    parts = []
    for status in dict.fromkeys(r.status for r in results):
        of = dict.fromkeys(r.figure.of for r in results if r.status == status and r.figure)
        named = ", ".join(f for f in of if f)
        parts.append(f"{status}: {named}" if named else status)
    return "; ".join(parts).replace("|", "\\|")
