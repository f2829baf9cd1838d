"""Three-way merge of the user's text, the last build's and this build's. Keeps every user edit."""

import codecs
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

LABELS = ("yours", "last build", "this build")
# markers of `xlm-spec build` and `copier update`
OURS = re.compile(
    rb"^(?:<{7} (?:yours|before updating)|\|{7} last (?:build|update)"
    rb"|>{7} (?:this build|after updating))\r?$",
    re.M,
)
# markers of any tool
BEGIN, END = re.compile(rb"^<{7} .+$", re.M), re.compile(rb"^>{7} .+$", re.M)
SIGNS = (b"<" * 7, b"|" * 7, b">" * 7)  # one of them is in every marker
MOST_CONFLICTS = 127  # highest count that `git merge-file` returns; above it, it failed


@dataclass(frozen=True)
class Merged:
    """A merged text, and the lines (from 1) at which its conflicts begin."""

    text: bytes
    conflicts: tuple[int, ...]


def merge(yours: bytes, base: bytes, new: bytes) -> Merged | None:
    """`base` with both changes; lines that both changed stand between conflict markers.

    Uses the line endings of `yours`. None if git is missing or cannot merge these texts.
    """
    with tempfile.TemporaryDirectory(prefix="xlm-spec-") as folder:
        files = []
        for name, text in zip(LABELS, (plain(yours), base, new), strict=True):
            files.append(Path(folder, name))
            files[-1].write_bytes(text)
        command = ["git", "merge-file", "-p", "--diff3"]
        command += [word for name in LABELS for word in ("-L", name)]
        try:
            done = subprocess.run(
                [*command, *files], capture_output=True, cwd=folder, env=plain_git()
            )
        except OSError:
            return None
    if not 0 <= done.returncode <= MOST_CONFLICTS:
        return None
    text = like(yours, done.stdout)
    return Merged(text, conflicts(text) if done.returncode else ())


def plain_git() -> dict[str, str]:
    """An environment in which git ignores repositories and user settings."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    kept["GIT_CEILING_DIRECTORIES"] = tempfile.gettempdir()
    return kept | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}


def conflicts(text: bytes, base: bytes = b"") -> tuple[int, ...]:
    """The lines, from 1, at which conflicts or remaining parts of one begin.

    Markers that the last build wrote as part of a component's text do not count.
    """
    found, known = markers(text), markers(base)
    return tuple(text.count(b"\n", 0, at) + 1 for at in found) if len(found) > len(known) else ()


def markers(text: bytes) -> list[int]:
    """The offsets at which conflicts begin, with our labels or those of any tool."""
    if not any(sign in text for sign in SIGNS):
        return []
    ours = [m.start() for m in OURS.finditer(text)]
    begins, ends = ([m.start() for m in p.finditer(text)] for p in (BEGIN, END))
    if begins and ends:
        return begins
    return ours[:1]


def crlf(text: bytes) -> bool:
    """Does every line end with CRLF?"""
    return b"\r\n" in text and text.count(b"\r\n") == text.count(b"\n")


def plain(text: bytes) -> bytes:
    """The text with LF line endings, as builds write."""
    return text.replace(b"\r\n", b"\n") if crlf(text) else text


def like(yours: bytes, text: bytes) -> bytes:
    """The text with the line endings of `yours`."""
    return text.replace(b"\n", b"\r\n") if crlf(yours) else text


def same(a: bytes, b: bytes) -> bool:
    """Are they equal except for line endings and a byte order mark?"""
    return a == b or bare(a) == bare(b)


def bare(text: bytes) -> bytes:
    """The text with LF line endings and without a byte order mark."""
    return re.sub(rb"\r\n?", b"\n", text.removeprefix(codecs.BOM_UTF8))
