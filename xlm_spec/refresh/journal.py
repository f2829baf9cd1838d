"""Changes many files as one transaction: writes all new texts, lists them, then moves them.

If a build is killed before the list is written, no file changes. If it is killed later, the next
build moves the remaining files.
"""

import errno
import json
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from xlm_spec.compiler.emit.render import safe
from xlm_spec.compiler.emit.state import LOCK, STATE
from xlm_spec.refresh.disk import content, digest, real_path, replace
from xlm_spec.refresh.record import as_before, last_build

NEXT = ".xlm/next"  # the folder of new texts until they are moved
LIST = "list.json"


@dataclass(frozen=True)
class Change:
    """The new `data` of `path`; None removes the file. `was` is its current content, if any."""

    path: str
    data: bytes | None
    was: bytes | None


def pending(folder: Path) -> bool:
    """Was the last build of this package interrupted while it moved files?"""
    return (folder / NEXT / LIST).exists()


def apply_changes(folder: Path, changes: Iterable[Change], report: Iterable[str] = ()) -> None:
    """Applies all changes in order. Raises OSError; before the first move nothing is changed.

    `report`: paths that a later build must report to the user if it completes this one.
    """
    staging = folder / NEXT
    shutil.rmtree(staging, ignore_errors=True)
    try:
        staging.mkdir(parents=True)
        listed = [stage(folder, staging, str(i), c) for i, c in enumerate(changes)]
        whole = {"changes": listed, "report": [*report]}
        (staging / "list").write_text(json.dumps(whole), encoding="utf-8")
        os.replace(staging / "list", staging / LIST)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    complete(folder)


def stage(folder: Path, staging: Path, name: str, c: Change) -> dict:
    """Writes the new text of a change into the staging folder; returns its entry in the list."""
    file = real_path(folder, c.path)
    home = next(p for p in file.parents if p.exists())
    effective = os.access in os.supports_effective_ids
    if not os.access(home, os.W_OK, effective_ids=effective):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(home))
    if c.data is not None:
        (staging / name).write_bytes(c.data)
        with suppress(FileNotFoundError):
            shutil.copymode(file, staging / name)
    return {"path": c.path, "text": None if c.data is None else name, "was": digest(c.was)}


def complete(folder: Path) -> list[str]:
    """Moves the listed files; returns the paths to report to the user.

    A file that was edited after the interruption is not changed. Its record keeps the sum of the
    build before, so that the next build merges it.
    """
    staging = folder / NEXT
    listed = entries(staging)
    if listed is None:
        shutil.rmtree(staging, ignore_errors=True)
        return []
    changes, report = listed
    edited = []
    for path, text, was in changes:
        file = real_path(folder, path)
        now = digest(content(file))
        if (now is None) if text is None else (not text.exists()):
            continue  # already done
        if now != was and path not in STATE:
            edited.append(path)
        elif text is None:
            (folder / path).unlink()
        else:
            if path == LOCK and edited:
                before = last_build(folder).texts
                replace(text, as_before(text.read_bytes(), before, edited))
            file.parent.mkdir(parents=True, exist_ok=True)
            os.replace(text, file)
    (staging / LIST).unlink()
    shutil.rmtree(staging, ignore_errors=True)
    return report


Entry = tuple[str, Path | None, str | None]  # path, its new text, digest of its text before


def entries(staging: Path) -> tuple[list[Entry], list[str]] | None:
    """The listed changes, and the paths to report; None without a readable list."""
    try:
        listed = json.loads((staging / LIST).read_bytes())
        changes = [
            (
                safe(e["path"]),
                None if e["text"] is None else staging / str(int(e["text"])),
                e["was"],
            )
            for e in listed["changes"]
        ]
        return changes, [safe(p) for p in listed["report"]]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
