"""The current templates and those of every release, as {path: text}, and their versions."""

import hashlib
import json
from functools import cache
from pathlib import Path

from xlm_spec.compiler.components import TEMPLATES

HISTORY = TEMPLATES / "history"  # a folder for each release


@cache
def live() -> dict[str, str]:
    """The current templates: copier.yml and the package files. Plans hold the definitions."""
    files = [TEMPLATES / "copier.yml", *(TEMPLATES / "package").rglob("*")]
    return tree(TEMPLATES, files)


def tree(folder: Path, files: list[Path]) -> dict[str, str]:
    return {
        f.relative_to(folder).as_posix(): f.read_text(encoding="utf-8")
        for f in sorted(files)
        if f.is_file()
    }


def released(version: str) -> dict[str, str]:
    """The templates of a release."""
    return tree(HISTORY / version, [*(HISTORY / version).rglob("*")])


def releases() -> list[str]:
    """The versions of releases, oldest first."""
    found = (f.name for f in HISTORY.iterdir() if f.is_dir()) if HISTORY.is_dir() else ()
    return sorted(found, key=numbers)


def numbers(version: str) -> list[int]:
    return [int(n) for n in version.split(".")]


@cache
def version() -> str:
    """The version of the current templates: a release, or a number derived from their content.

    Different states of development never share a version. The version sorts between the last and
    the next release. It is not a pre-release: copier ignores these when it looks for the latest
    version, and would report an update as a downgrade.
    """
    last = next(iter(releases()[-1:]), None)
    if last and released(last) == live():
        return last
    content = json.dumps(live(), sort_keys=True).encode()
    return f"{last or '0'}.post{int(hashlib.sha256(content).hexdigest()[:12], 16)}"


def of(wanted: str) -> dict[str, str] | None:
    """The templates of a version; None if it is unknown."""
    if wanted == version():
        return live()
    return released(wanted) if wanted in releases() else None
