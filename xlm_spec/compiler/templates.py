"""The templates of this state and of every release, as {path: text}, and their versions."""

import hashlib
import json
from functools import cache
from pathlib import Path

from xlm_spec import __version__
from xlm_spec.compiler.components import TEMPLATES

HISTORY = TEMPLATES / "history"  # a folder for each release, as it was


@cache
def live() -> dict[str, str]:
    """copier.yml, the glue, the laws. The definitions that packages list are in their plans."""
    files = [TEMPLATES / "copier.yml", *(TEMPLATES / "package").rglob("*")]
    return tree(TEMPLATES, [*files, *(TEMPLATES / "verify").glob("*.py")])


def tree(folder: Path, files: list[Path]) -> dict[str, str]:
    return {
        f.relative_to(folder).as_posix(): f.read_text(encoding="utf-8")
        for f in sorted(files)
        if f.is_file()
    }


def released(version: str) -> dict[str, str]:
    """Of a release."""
    return tree(HISTORY / version, [*(HISTORY / version).rglob("*")])


def releases() -> list[str]:
    """Their versions, the oldest first."""
    found = (f.name for f in HISTORY.iterdir() if f.is_dir()) if HISTORY.is_dir() else ()
    return sorted(found, key=numbers)


def numbers(version: str) -> list[int]:
    return [int(n) for n in version.split(".")]


@cache
def version() -> str:
    """Of the live templates: a release's, where they are its; else one of their content.

    So two states of development that differ never share one.
    """
    last = releases()[-1:]
    if last and released(last[0]) == live():
        return last[0]
    coming = __version__.partition(".dev")[0]
    content = json.dumps(live(), sort_keys=True).encode()
    return f"{coming}.dev{int(hashlib.sha256(content).hexdigest()[:12], 16)}"


def of(wanted: str) -> dict[str, str] | None:
    """The templates of a version, where they are still known."""
    if wanted == version():
        return live()
    return released(wanted) if wanted in releases() else None
