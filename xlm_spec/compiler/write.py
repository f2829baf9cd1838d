"""{path: bytes} -> the package's folder. Files edited since they were built are refused."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from xlm_spec.compiler.lower import Plan
from xlm_spec.compiler.render import ANSWERS, LOCK, safe
from xlm_spec.diagnostics import Diagnostic, Failed

NEXT = ".xlm/next.json"  # the record of the build that is going on
STATE = (ANSWERS, LOCK)  # never edited by a person


@dataclass(frozen=True)
class Written:
    """What a build did, or would do, by file."""

    folder: Path
    created: tuple[str, ...]
    updated: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]
    warnings: tuple[Diagnostic, ...] = ()  # of the spec

    @property
    def stale(self) -> bool:
        return bool(self.created or self.updated or self.removed)


def write(files: dict[str, bytes], plan: Plan, into: Path, check: bool = False) -> Written:
    """Writes the files into `into/<name>`; with `check`, only says what would change.

    Raises Failed (X401, exit 3) if a file was edited since the last build, and then writes nothing.
    """
    folder = into / plan.name
    last = last_build(folder)
    inside(folder, {*files, *last})
    there = {p: content(folder / p) for p in {*files, *last}}
    edited = sorted(p for p in there if is_edited(p, there[p], last.get(p, set()), files.get(p)))
    if edited and not check:
        raise Failed([refusal(folder / p) for p in edited], exit_code=3)
    done = Written(
        folder,
        created=tuple(sorted(p for p in files if there[p] is None)),
        updated=tuple(sorted(p for p in files if there[p] not in (None, files[p]))),
        removed=tuple(sorted(p for p in last if p not in files and there[p] is not None)),
        unchanged=tuple(sorted(p for p in files if there[p] == files[p])),
    )
    if not check:
        try:
            put(folder, files, done)
        except OSError as e:
            file = str(e.filename or folder)
            raise Failed(Diagnostic("X403", f"cannot write: {e.strerror}", file=file)) from None
    return done


def last_build(folder: Path) -> dict[str, set[str]]:
    """The sha256 of every file as it was last built, and as an interrupted build would have it."""
    known: dict[str, set[str]] = {}
    for record in (LOCK, NEXT):
        for path, digest in recorded(folder / record).items():
            known.setdefault(path, set()).add(digest)
    return known


def recorded(file: Path) -> dict[str, str]:
    """What a record says of each file. Raises Failed (X402, X403) where it can't be read."""
    try:
        files = json.loads(file.read_text(encoding="utf-8"))["files"]
        return {safe(p): f["sha256"] for p, f in files.items()}
    except FileNotFoundError:
        return {}
    except OSError as e:
        told = f"cannot read the record of the last build: {e.strerror}"
        raise Failed(Diagnostic("X403", told, file=str(file))) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        hint = "restore it, for example from git, or build into another folder"
        told = "the record of the last build is damaged"
        raise Failed(Diagnostic("X402", told, hint, str(file)), exit_code=3) from None


def inside(folder: Path, paths: Iterable[str]) -> None:
    """Raises Failed (X403) where a symbolic link would lead a write out of the package's folder."""
    home = folder.resolve()
    for path in paths:
        parent = (folder / path).parent.resolve()
        if parent != home and home not in parent.parents:
            told = "a symbolic link leads out of the package; nothing was written"
            raise Failed(Diagnostic("X403", told, file=str((folder / path).parent)))


def content(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as e:
        told = f"cannot read what is there: {e.strerror}"
        raise Failed(Diagnostic("X403", told, file=str(file))) from None


def is_edited(path: str, now: bytes | None, then: set[str], new: bytes | None) -> bool:
    """Does the file hold anything that no build wrote? A file that is gone holds nothing."""
    if path in STATE or now is None or now == new:
        return False
    return hashlib.sha256(now).hexdigest() not in then


def refusal(file: Path) -> Diagnostic:
    told = "this file was changed since the last build; nothing was written"
    hint = "keep your change elsewhere and restore the file, or build into another folder (--into)"
    return Diagnostic("X401", told, hint, str(file))


def put(folder: Path, files: dict[str, bytes], done: Written) -> None:
    """First what will be, then the files, then what is: a second build mends an interrupted one."""
    if not done.stale and not (folder / NEXT).exists():
        return
    replace(folder / NEXT, files[LOCK])
    for path in sorted({*done.created, *done.updated} - {LOCK}):
        replace(folder / path, files[path])
    for path in done.removed:
        (folder / path).unlink()
    os.replace(folder / NEXT, folder / LOCK)


def replace(file: Path, data: bytes) -> None:
    """Writes beside the file, then renames: a reader sees the old or the new, never a part."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
        os.chmod(beside, 0o644)
        os.replace(beside, file)
    except BaseException:
        os.unlink(beside)
        raise
