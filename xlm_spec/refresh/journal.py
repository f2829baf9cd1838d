"""Many files change at once, or none: written aside, listed, and then moved to their places.

Killed before the list stands, a change never was. Killed after, the next build finishes it first.
"""

import errno
import json
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from xlm_spec.compiler.render import LOCK, STATE, safe
from xlm_spec.refresh.places import content, digest, place, replace
from xlm_spec.refresh.record import as_before, recorded

NEXT = ".xlm/next"  # what is on its way
LIST = "list.json"


@dataclass(frozen=True)
class Change:
    """`data` for `path`; None removes the file. `was` is what is there now, if anything."""

    path: str
    data: bytes | None
    was: bytes | None


def pending(folder: Path) -> bool:
    """Was the last build of this package killed half-way?"""
    return (folder / NEXT / LIST).exists()


def change(folder: Path, changes: Iterable[Change], told: Iterable[str] = ()) -> None:
    """All of them, in their order. Raises OSError; if nothing was moved yet, nothing is changed.

    `told` are paths of which a person has to hear, should this be finished by another build.
    """
    aside = folder / NEXT
    shutil.rmtree(aside, ignore_errors=True)
    try:
        aside.mkdir(parents=True)
        listed = [entry(folder, aside, str(i), c) for i, c in enumerate(changes)]
        whole = {"changes": listed, "told": [*told]}
        (aside / "list").write_text(json.dumps(whole), encoding="utf-8")
        os.replace(aside / "list", aside / LIST)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    finish(folder)


def entry(folder: Path, aside: Path, name: str, c: Change) -> dict:
    """What the list says of a change, whose text is written aside."""
    file = place(folder, c.path)
    home = next(p for p in file.parents if p.exists())
    effective = os.access in os.supports_effective_ids
    if not os.access(home, os.W_OK, effective_ids=effective):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(home))
    if c.data is not None:
        (aside / name).write_bytes(c.data)
        with suppress(FileNotFoundError):
            shutil.copymode(file, aside / name)
    return {"path": c.path, "text": None if c.data is None else name, "was": digest(c.was)}


def finish(folder: Path) -> list[str]:
    """Moves what is listed to its place; returns of which paths a person has to hear.

    A file that a person changed in between stays as it is; to the record it is what it was before,
    and so the next build merges it.
    """
    aside = folder / NEXT
    listed = entries(aside)
    if listed is None:
        shutil.rmtree(aside, ignore_errors=True)
        return []
    changes, told = listed
    left = []
    for path, text, was in changes:
        file = place(folder, path)
        now = digest(content(file))
        if (now is None) if text is None else (not text.exists()):
            continue  # done before
        if now != was and path not in STATE:
            left.append(path)
        elif text is None:
            (folder / path).unlink()
        else:
            if path == LOCK and left:
                kept = recorded(content(file) or b"") or {}
                replace(text, as_before(text.read_bytes(), kept, left))
            file.parent.mkdir(parents=True, exist_ok=True)
            os.replace(text, file)
    (aside / LIST).unlink()
    shutil.rmtree(aside, ignore_errors=True)
    return told


Entry = tuple[str, Path | None, str | None]  # path, its text written aside, digest of what was


def entries(aside: Path) -> tuple[list[Entry], list[str]] | None:
    """What is listed, and of what a person has to hear; None without a list."""
    try:
        listed = json.loads((aside / LIST).read_bytes())
        changes = [
            (safe(e["path"]), None if e["text"] is None else aside / str(int(e["text"])), e["was"])
            for e in listed["changes"]
        ]
        return changes, [safe(p) for p in listed["told"]]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
