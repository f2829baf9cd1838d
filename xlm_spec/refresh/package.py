"""{path: bytes} -> the package's folder, merged with all that a person wrote there."""

import os
import subprocess
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from xlm_spec.compiler.render import ANSWERS, STATE
from xlm_spec.diagnostics import Diagnostic, Failed, Span
from xlm_spec.refresh.alone import alone
from xlm_spec.refresh.journal import Change, change, finish, pending
from xlm_spec.refresh.merge import conflicts, same
from xlm_spec.refresh.outcome import ASIDE, WANT_A_PERSON, Did, Outcome, outcome
from xlm_spec.refresh.places import content, place
from xlm_spec.refresh.record import last_build


@dataclass(frozen=True)
class Refreshed:
    """What a build did, or would do, file by file."""

    folder: Path
    outcomes: tuple[Outcome, ...]
    stale: bool  # is there anything to write?
    warnings: tuple[Diagnostic, ...] = ()

    def paths(self, *did: Did) -> tuple[str, ...]:
        return tuple(o.path for o in self.outcomes if o.did in did)

    @property
    def wanting(self) -> list[Diagnostic]:
        """What a person has to decide."""
        return [told(self.folder, o) for o in self.outcomes if o.did in WANT_A_PERSON]


def refresh(folder: Path, files: dict[str, bytes], check: bool = False) -> Refreshed:
    """Merges the files of a build into a package's folder; with `check`, only says how.

    Raises Failed: X405 (exit 3) while an earlier conflict stands there, X403 where the disk does
    not let us, X409 where another build is at work; and has then changed nothing.
    """
    try:
        with nullcontext() if check else alone(folder):
            if not check:
                finish(folder)
            return merged(folder, files, check)
    except OSError as e:
        file = str(e.filename or folder)
        raise Failed(Diagnostic("X403", f"cannot write: {e.strerror}", file=file)) from None


def merged(folder: Path, files: dict[str, bytes], check: bool) -> Refreshed:
    """The same, by the one build that is at work."""
    last = last_build(folder)
    paths = sorted({*files, *last.texts} - {*STATE})
    there = {p: content(place(folder, p)) for p in [*paths, *STATE]}
    unresolved = [d for p in paths for d in waiting(folder, p, there[p])]
    if unresolved:
        raise Failed(unresolved, exit_code=3)
    base = last.texts if any(there[p] is not None for p in paths) else {}
    found = [outcome(p, there[p], base.get(p), files.get(p)) for p in paths]
    changes = [Change(o.path, o.data, there.get(o.path)) for o in found if o.data is not None]
    changes += [Change(o.path, None, there[o.path]) for o in found if o.did is Did.REMOVED]
    changes += [
        Change(p, files[p], there[p])
        for p in STATE
        if there[p] is None or not same(there[p] or b"", files[p])
    ]
    stale = bool(changes) or pending(folder)
    if changes and not check:
        change(folder, changes)
    ignored = [ignored_by_git(folder)] if is_ignored(folder) else []
    return Refreshed(folder, tuple(found), stale, (*last.warnings, *ignored))


def waiting(folder: Path, path: str, now: bytes | None) -> Iterable[Diagnostic]:
    """X405, where a file waits for a person since an earlier build."""
    for line in conflicts(now or b""):
        told = "an earlier merge left a conflict here; nothing was written"
        hint = "keep what is right of both, delete the markers, and build again"
        yield at(folder / path, line, now or b"", "X405", told, hint)
    if (folder / (path + ASIDE)).exists():
        told = "an earlier build set its text aside here; nothing was written"
        hint = f"merge it into {path} by hand, or not, and delete it; then build again"
        yield Diagnostic("X405", told, hint, str(folder / (path + ASIDE)))


def told(folder: Path, o: Outcome) -> Diagnostic:
    """What a person has to decide in one file."""
    file = folder / o.path
    if o.did is Did.CONFLICT:
        told = "you and this build changed the same lines"
        if o.lines[1:]:
            told += f"; also at {', '.join(map(str, o.lines[1:]))}"
        hint = "both texts stand between markers: keep what is right, delete the markers"
        return at(file, o.lines[0], o.data or b"", "X401", told, hint)
    if o.did is Did.SET_ASIDE:
        path = o.path.removesuffix(ASIDE)
        told = f"{path} has changed, and can't be merged: its new text stands here"
        hint = "it was moved or deleted, is no text, or git is missing; merge by hand, delete this"
        return Diagnostic("X406", told, hint, str(file))
    told = "you edited this file, and it is no longer generated"
    hint = "delete it, or keep it: from now on it is a file of your own"
    return Diagnostic("X407", told, hint, str(file))


def at(file: Path, line: int, text: bytes, code: str, told: str, hint: str) -> Diagnostic:
    source = text.decode(errors="replace")
    end = len(source.split("\n")[line - 1].rstrip("\r"))
    return Diagnostic(code, told, hint, str(file), Span(line - 1, 0, line - 1, end), source)


def ignored_by_git(folder: Path) -> Diagnostic:
    told = "git ignores this package: here `copier update` would overwrite your edits"
    hint = "take it out of .gitignore, or update with `xlm-spec build` alone"
    return Diagnostic("X408", told, hint, str(folder), severity="warning")


def is_ignored(folder: Path) -> bool:
    """Only git itself can tell, and only where there is a repository."""
    if not any((p / ".git").exists() for p in [folder.resolve(), *folder.resolve().parents]):
        return False
    command = ["git", "-C", os.fspath(folder), "check-ignore", "-q", "--", ANSWERS]
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        return False
