"""What becomes of one file, by what is there, what the last build wrote, and what is new."""

import re
from dataclasses import dataclass
from enum import Enum

from xlm_spec.refresh.merge import like, merge, same

ASIDE = ".xlm-new"  # behind the name of a file that a person has to merge


class Did(Enum):
    """In the words that `build` prints."""

    CREATED = "created"
    UPDATED = "updated"
    MERGED = "merged"
    REMOVED = "removed"
    KEPT = "your edit kept"
    DELETED = "your deletion kept"
    UNCHANGED = "unchanged"
    CONFLICT = "conflict"
    SET_ASIDE = "set aside"
    ORPHAN = "kept although no longer generated"

    @property
    def order(self) -> int:
        """In which they are told: what a person has to decide stands last."""
        return [*Did].index(self)


WANT_A_PERSON = (Did.CONFLICT, Did.SET_ASIDE, Did.ORPHAN)


@dataclass(frozen=True)
class Outcome:
    """`data` is what `path` will hold; None where nothing is written."""

    did: Did
    path: str
    data: bytes | None = None
    lines: tuple[int, ...] = ()  # at which conflicts begin


# What a build may take away: its own files alone. A component of the author's own is not.
MADE = re.compile(r"[a-z0-9_]+/[a-z0-9_]+\.py|tests/verify/[a-z_]+\.py|README\.md|pyproject\.toml")


def outcome(path: str, yours: bytes | None, base: bytes | None, new: bytes | None) -> Outcome:
    """None: the file is not there, was not made by the last build, is not made by this one."""
    if new is None:
        if yours is None:
            return Outcome(Did.UNCHANGED, path)
        unedited = base is not None and same(yours, base) and MADE.fullmatch(path)
        return Outcome(Did.REMOVED if unedited else Did.ORPHAN, path)
    if yours is None:
        if base is None:
            return Outcome(Did.CREATED, path, new)
        return Outcome(Did.DELETED, path) if new == base else aside(path, new)
    if same(yours, new):
        return Outcome(Did.UNCHANGED, path)
    if base is not None and same(yours, base):
        return Outcome(Did.UPDATED, path, like(yours, new))
    if new == base:
        return Outcome(Did.KEPT, path)
    merged = merge(yours, base or b"", new)
    if merged is None:
        return aside(path, new)
    did = Did.CONFLICT if merged.conflicts else Did.MERGED
    if merged.text == yours and did is Did.MERGED:
        return Outcome(Did.KEPT, path)
    return Outcome(did, path, merged.text, merged.conflicts)


def aside(path: str, new: bytes) -> Outcome:
    """The new text beside the file, for a person to merge: it was moved, deleted, or is no text."""
    return Outcome(Did.SET_ASIDE, path + ASIDE, new)
