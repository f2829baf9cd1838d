"""Writes {path: bytes} into a package's folder, merged with the user's edits."""

import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from xlm_spec.compiler.emit.state import ANSWERS, LOCK, STATE
from xlm_spec.diagnostics import Diagnostic, Failed, Span
from xlm_spec.refresh.build_lock import build_lock
from xlm_spec.refresh.disk import content, real_path
from xlm_spec.refresh.journal import NEXT, Change, apply_changes, complete, pending
from xlm_spec.refresh.merge import conflicts, same
from xlm_spec.refresh.outcome import NEEDS_DECISION, REJECTED, FileAction, Outcome, outcome
from xlm_spec.refresh.record import as_before, last_build


@dataclass(frozen=True)
class Refreshed:
    """What a build did, or would do, to each file."""

    folder: Path
    outcomes: tuple[Outcome, ...]
    stale: bool  # is there anything to write?
    warnings: tuple[Diagnostic, ...] = ()

    def paths(self, *actions: FileAction) -> tuple[str, ...]:
        return tuple(o.path for o in self.outcomes if o.action in actions)

    @property
    def decisions(self) -> list[Diagnostic]:
        """A diagnostic for each file that needs a decision of the user."""
        return [decision(self.folder, o) for o in self.outcomes if o.action in NEEDS_DECISION]


def refresh(
    folder: Path, files: dict[str, bytes], check: bool = False, inputs: Iterable[str] = ()
) -> Refreshed:
    """Merges the files of a build into a package's folder; with `check`, writes nothing.

    `inputs`: files of the package that are sources of this build. Their record stays unchanged, so
    that a later build from elsewhere detects the user's edits in them.

    Raises Failed and changes nothing: X405 (exit 3) if an earlier conflict is unresolved, X403 if
    a file cannot be read or written, X409 if another build of the package is running.
    """
    for path in (folder / ".xlm", folder / NEXT):
        if path.is_symlink():
            message = "the folder of the build's record is a symbolic link; nothing was written"
            raise Failed(Diagnostic("X403", message, file=str(path)))
    try:
        with nullcontext() if check else build_lock(folder):
            unreported = [] if check else complete(folder)
            return merge_locked(folder, files, check, [*inputs], unreported)
    except OSError as e:
        file = str(e.filename2 or e.filename or folder)
        raise Failed(Diagnostic("X403", f"cannot write: {e.strerror}", file=file)) from None


def merge_locked(
    folder: Path, files: dict[str, bytes], check: bool, inputs: list[str], unreported: list[str]
) -> Refreshed:
    """`refresh`, while the lock is held. `unreported`: orphans of a build that was interrupted."""
    last = last_build(folder, files)
    paths = sorted({*files, *last.texts} - {*STATE})
    there = {p: content(real_path(folder, p)) for p in [*paths, *STATE]}
    check_distinct(folder, [p for p in paths if there[p] is not None])
    open_conflicts = [d for p in paths for d in unresolved(folder, p, there[p], last.texts.get(p))]
    if open_conflicts:
        raise Failed(open_conflicts, exit_code=3)
    base = last.texts if any(there[p] is not None for p in paths) else {}
    found = [outcome(p, there[p], base.get(p), files.get(p)) for p in paths]
    removed = FileAction.REMOVED
    found = [orphan(o.path) if o.action is removed and is_link(folder, o) else o for o in found]
    found += [orphan(p) for p in unreported if p not in files and (folder / p).exists()]
    record = as_before(files[LOCK], last.texts, inputs) if inputs else files[LOCK]
    state = {LOCK: record, ANSWERS: files[ANSWERS]}  # the record is read with its answers
    changes = [Change(o.path, o.data, there.get(o.path)) for o in found if o.data is not None]
    changes += [Change(o.path, None, there[o.path]) for o in found if o.action is removed]
    changes += [
        Change(p, text, there[p])
        for p, text in state.items()
        if there[p] is None or not same(there[p] or b"", text)
    ]
    stale = bool(changes) or pending(folder)
    if changes and not check:
        orphans = [o.path for o in found if o.action is FileAction.ORPHAN]
        apply_changes(folder, changes, orphans)
    ignored = [ignored_by_git(folder)] if is_ignored(folder, paths) else []
    return Refreshed(folder, tuple(found), stale, (*last.warnings, *ignored))


def orphan(path: str) -> Outcome:
    return Outcome(FileAction.ORPHAN, path)


def is_link(folder: Path, o: Outcome) -> bool:
    """Did the user replace the file by a link? Builds never create one."""
    return (folder / o.path).is_symlink()


def check_distinct(folder: Path, paths: list[str]) -> None:
    """Raises Failed (X403) if a link makes two paths the same file."""
    seen: dict[Path, str] = {}
    for path in paths:
        other = seen.setdefault(real_path(folder, path), path)
        if other != path:
            message = f"symbolic link: this and {other} are the same file; nothing was written"
            raise Failed(Diagnostic("X403", message, file=str(folder / path)))


def unresolved(
    folder: Path, path: str, now: bytes | None, base: bytes | None
) -> Iterator[Diagnostic]:
    """X405 for each conflict or rejected text of an earlier build."""
    for line in conflicts(now or b"", base or b""):
        message = "unresolved conflict of an earlier merge; nothing was written"
        hint = "keep the right text, delete the markers, and build again"
        yield at(folder / path, line, now or b"", "X405", message, hint)
    for rejected in reject_files(folder, path):
        message = "unresolved: an earlier merge left this file; nothing was written"
        hint = f"copy what you need into {path}, delete this file, and build again"
        yield Diagnostic("X405", message, hint, str(rejected))


def reject_files(folder: Path, path: str) -> list[Path]:
    """The files that a build or `copier update --conflict rej` left beside a file."""
    return [f for end in (REJECTED, ".rej") if (f := folder / (path + end)).exists()]


def decision(folder: Path, o: Outcome) -> Diagnostic:
    """What the user has to decide in one file."""
    file = folder / o.path
    if o.action is FileAction.CONFLICT:
        message = "you and this build changed the same lines"
        if o.lines[1:]:
            message += f"; also at {', '.join(map(str, o.lines[1:]))}"
        hint = "both texts stand between markers: keep the right one, delete the markers"
        return at(file, o.lines[0], o.data or b"", "X401", message, hint)
    if o.action is FileAction.REJECTED:
        path = o.path.removesuffix(REJECTED)
        message = f"cannot merge {path}: its new text is in this file"
        hint = "you moved or deleted it, it is not text, or git is missing; merge it by hand, "
        return Diagnostic("X406", message, f"{hint}then delete this file", str(file))
    message = "you edited this file, and it is no longer generated"
    hint = "delete it, or keep it: later builds do not change it"
    return Diagnostic("X407", message, hint, str(file))


def at(file: Path, line: int, text: bytes, code: str, message: str, hint: str) -> Diagnostic:
    """A diagnostic at a whole line."""
    source = text.decode(errors="replace")
    end = len(source.split("\n")[line - 1].rstrip("\r"))
    return Diagnostic(code, message, hint, str(file), Span(line - 1, 0, line - 1, end), source)


def ignored_by_git(folder: Path) -> Diagnostic:
    message = "git ignores this package: `copier update` would overwrite your edits"
    hint = "remove it from .gitignore, or update with `xlm-spec build` only"
    return Diagnostic("X408", message, hint, str(folder), severity="warning")


def is_ignored(folder: Path, paths: Iterable[str]) -> bool:
    """Does git ignore any of its files? False outside a repository or without git."""
    if not any((p / ".git").exists() for p in [folder.resolve(), *folder.resolve().parents]):
        return False
    command = ["git", "-c", "safe.directory=*", "-C", os.fspath(folder)]
    command += ["check-ignore", "-q", "--stdin", "-z"]
    listed = "\0".join([*STATE, *paths]).encode()
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    try:
        done = subprocess.run(command, input=listed, capture_output=True, env=kept)
    except OSError:
        return False
    return done.returncode == 0
