"""{path: bytes} -> the package's folder, merged with all that a person wrote there."""

import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from xlm_spec.compiler.render import ANSWERS, LOCK, STATE
from xlm_spec.diagnostics import Diagnostic, Failed, Span
from xlm_spec.refresh.alone import alone
from xlm_spec.refresh.journal import NEXT, Change, change, finish, pending
from xlm_spec.refresh.merge import conflicts, same
from xlm_spec.refresh.outcome import ASIDE, WANT_A_PERSON, Did, Outcome, outcome
from xlm_spec.refresh.places import content, place
from xlm_spec.refresh.record import as_before, last_build


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


def refresh(
    folder: Path, files: dict[str, bytes], check: bool = False, inputs: Iterable[str] = ()
) -> Refreshed:
    """Merges the files of a build into a package's folder; with `check`, only says how.

    `inputs` are files of the package that the build was made from: to the record they stay what
    they were, so that a build from elsewhere finds what a person wrote in them.

    Raises Failed: X405 (exit 3) while an earlier conflict stands there, X403 where the disk does
    not let us, X409 where another build is at work; and has then changed nothing.
    """
    for path in (folder / ".xlm", folder / NEXT):
        if path.is_symlink():
            told = "a symbolic link stands where a build keeps its record; nothing was written"
            raise Failed(Diagnostic("X403", told, file=str(path)))
    try:
        with nullcontext() if check else alone(folder):
            told_before = [] if check else finish(folder)
            return merged(folder, files, check, [*inputs], told_before)
    except OSError as e:
        file = str(e.filename2 or e.filename or folder)
        raise Failed(Diagnostic("X403", f"cannot write: {e.strerror}", file=file)) from None


def merged(
    folder: Path, files: dict[str, bytes], check: bool, inputs: list[str], told: list[str]
) -> Refreshed:
    """The same, by the one build at work. Of the paths `told` a person has not heard yet."""
    last = last_build(folder)
    paths = sorted({*files, *last.texts} - {*STATE})
    there = {p: content(place(folder, p)) for p in [*paths, *STATE]}
    apart(folder, [p for p in paths if there[p] is not None])
    unresolved = [d for p in paths for d in waiting(folder, p, there[p], last.texts.get(p))]
    if unresolved:
        raise Failed(unresolved, exit_code=3)
    base = last.texts if any(there[p] is not None for p in paths) else {}
    found = [outcome(p, there[p], base.get(p), files.get(p)) for p in paths]
    found = [orphan(o.path) if o.did is Did.REMOVED and is_link(folder, o) else o for o in found]
    found += [orphan(p) for p in told if p not in files and (folder / p).exists()]
    record = as_before(files[LOCK], last.texts, inputs) if inputs else files[LOCK]
    state = {ANSWERS: files[ANSWERS], LOCK: record}
    changes = [Change(o.path, o.data, there.get(o.path)) for o in found if o.data is not None]
    changes += [Change(o.path, None, there[o.path]) for o in found if o.did is Did.REMOVED]
    changes += [
        Change(p, text, there[p])
        for p, text in state.items()
        if there[p] is None or not same(there[p] or b"", text)
    ]
    stale = bool(changes) or pending(folder)
    if changes and not check:
        change(folder, changes, [o.path for o in found if o.did is Did.ORPHAN])
    ignored = [ignored_by_git(folder)] if is_ignored(folder, paths) else []
    return Refreshed(folder, tuple(found), stale, (*last.warnings, *ignored))


def orphan(path: str) -> Outcome:
    return Outcome(Did.ORPHAN, path)


def is_link(folder: Path, o: Outcome) -> bool:
    """A person made it: builds make none."""
    return (folder / o.path).is_symlink()


def apart(folder: Path, paths: list[str]) -> None:
    """Raises Failed (X403) where a link makes one file of two."""
    seen: dict[Path, str] = {}
    for path in paths:
        other = seen.setdefault(place(folder, path), path)
        if other != path:
            told = f"a symbolic link makes this and {other} one file; nothing was written"
            raise Failed(Diagnostic("X403", told, file=str(folder / path)))


def waiting(folder: Path, path: str, now: bytes | None, base: bytes | None) -> Iterator[Diagnostic]:
    """X405, where a file waits for a person since an earlier build."""
    for line in conflicts(now or b"", base or b""):
        told = "an earlier merge left a conflict here; nothing was written"
        hint = "keep what is right of both, delete the markers, and build again"
        yield at(folder / path, line, now or b"", "X405", told, hint)
    for beside in asides(folder, path):
        told = "a text was set aside here, to be merged by hand; nothing was written"
        hint = f"merge it into {path}, or not, and delete it; then build again"
        yield Diagnostic("X405", told, hint, str(beside))


def asides(folder: Path, path: str) -> list[Path]:
    """What a build, or `copier update --conflict rej`, left beside a file."""
    return [f for end in (ASIDE, ".rej") if (f := folder / (path + end)).exists()]


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


def is_ignored(folder: Path, paths: Iterable[str]) -> bool:
    """Is any of its files? Only git itself can tell, and only where there is a repository."""
    if not any((p / ".git").exists() for p in [folder.resolve(), *folder.resolve().parents]):
        return False
    command = ["git", "-c", "safe.directory=*", "-C", os.fspath(folder)]
    command += ["check-ignore", "-q", "--stdin", "-z"]
    asked = "\0".join([*STATE, *paths]).encode()
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    try:
        done = subprocess.run(command, input=asked, capture_output=True, env=kept)
    except OSError:
        return False
    return done.returncode == 0
