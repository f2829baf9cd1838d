"""Decides what happens to one file, from its current, last built and newly built texts."""

import re
from dataclasses import dataclass
from enum import Enum

from xlm_spec.refresh.merge import like, merge, same
from xlm_spec.refresh.verified_section import with_results

REJECTED = ".xlm-new"  # suffix of the file that holds a text which could not be merged


class FileAction(Enum):
    """The values are the words that `build` prints."""

    CREATED = "created"
    UPDATED = "updated"
    MERGED = "merged"
    REMOVED = "removed"
    KEPT = "your edit kept"
    DELETED = "your deletion kept"
    UNCHANGED = "unchanged"
    CONFLICT = "conflict"
    REJECTED = "not merged"
    ORPHAN = "kept, no longer generated"

    @property
    def order(self) -> int:
        """The order in which `build` prints them: those that need a decision come last."""
        return [*FileAction].index(self)


NEEDS_DECISION = (FileAction.CONFLICT, FileAction.REJECTED, FileAction.ORPHAN)


@dataclass(frozen=True)
class Outcome:
    """`data` is the new content of `path`; None if nothing is written."""

    action: FileAction
    path: str
    data: bytes | None = None
    lines: tuple[int, ...] = ()  # first lines of conflicts


# The only files that a build may remove; custom components and their laws are not among them.
REMOVABLE = re.compile(r"(?!tests/.*_law\.py)[a-z0-9_]+/[a-z0-9_]+\.py|README\.md|pyproject\.toml")


def outcome(path: str, yours: bytes | None, base: bytes | None, new: bytes | None) -> Outcome:
    """`yours`: the current text; `base`: the last build's; `new`: this build's. None: no file."""
    base, new = with_results(path, base, yours), with_results(path, new, yours)
    if new is None:
        if yours is None:
            return Outcome(FileAction.UNCHANGED, path)
        unedited = base is not None and same(yours, base) and REMOVABLE.fullmatch(path)
        return Outcome(FileAction.REMOVED if unedited else FileAction.ORPHAN, path)
    if yours is None:
        if base is None:
            return Outcome(FileAction.CREATED, path, new)
        return Outcome(FileAction.DELETED, path) if new == base else reject_file(path, new)
    if same(yours, new):
        return Outcome(FileAction.UNCHANGED, path)
    if base is not None and same(yours, base):
        return Outcome(FileAction.UPDATED, path, like(yours, new))
    if new == base:
        return Outcome(FileAction.KEPT, path)
    merged = merge(yours, base or b"", new)
    if merged is None:
        return reject_file(path, new)
    action = FileAction.CONFLICT if merged.conflicts else FileAction.MERGED
    if merged.text == yours and action is FileAction.MERGED:
        return Outcome(FileAction.KEPT, path)
    return Outcome(action, path, merged.text, merged.conflicts)


def reject_file(path: str, new: bytes) -> Outcome:
    """Writes the new text into `<path>.xlm-new`: the file was moved, deleted, or is not text."""
    return Outcome(FileAction.REJECTED, path + REJECTED, new)
