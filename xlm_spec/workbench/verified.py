"""Writes the verified laws of a package, the versions and the hash of its code to its README."""

from pathlib import Path

import torch

from xlm_spec import __version__
from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.refresh.disk import content, real_path, replace
from xlm_spec.refresh.merge import like, plain
from xlm_spec.refresh.verified_section import BEGIN, END, code_hash
from xlm_spec.workbench.laws import NOT_TESTED, Verified


def record(done: Verified, folder: Path) -> None:
    """Replaces the section of verified laws.

    Raises Failed: X403; X413 if there is no section, or if the code changed during the
    verification.
    """
    readme = real_path(folder, "README.md")
    written = content(readme) or b""
    text = plain(written).decode("utf-8", "surrogateescape")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if code_hash(folder) != done.code:
        message = "the code of the package changed while it was verified: nothing is recorded"
        raise Failed(Diagnostic("X413", message, "verify it again", str(folder)))
    if not (begin and end):
        hint = f"build the package, or add the lines {BEGIN.strip()} and {END.strip()}"
        message = "the README has no section for verified laws"
        raise Failed(Diagnostic("X413", message, hint, str(readme)))
    now = f"{before}{begin}\n{section(done)}\n{end}{after}".encode("utf-8", "surrogateescape")
    replace(readme, like(written, now))


def section(done: Verified) -> str:
    """A sentence, a list of claims, and a Markdown table with a row for each law."""
    versions = f"xlm-spec {__version__} and torch {torch.__version__.partition('+')[0]}"
    code = f"the SHA-256 of the code begins with\n`{done.code}`"
    head = f"Verified with {versions}; {code}. Laws: {done.counted}.\n"
    laws: dict[str, list] = {}
    for r in done.results:
        laws.setdefault(r.law, []).append(r)
    rows = [f"| {law} | {row(results)} |" for law, results in laws.items()]
    claims = [f"- {c.line()}" for c in done.claims] or ["- none"]
    return "\n".join([head, "Claims:\n", *claims, "", "| law | |", "|---|---|", *rows, ""])


def row(results: list) -> str:
    """The result of a law, such as `held`, with what it was tested on."""
    if any(r.status == "n/a" for r in results):
        return f"not applicable: {results[0].why}"
    parts = [f"not verified: {r.why}" for r in results if r.status in NOT_TESTED]
    for status in dict.fromkeys(r.status for r in results if r.status not in NOT_TESTED):
        tested = dict.fromkeys(r.figure.of for r in results if r.status == status and r.figure)
        names = ", ".join(name for name in tested if name)
        parts.append(f"{status}: {names}" if names else status)
    return "; ".join(parts).replace("|", "\\|")
