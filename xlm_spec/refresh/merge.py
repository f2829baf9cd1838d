"""Three texts into one: yours, the last build's and this build's. No line of yours is dropped."""

import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

LABELS = ("yours", "last build", "this build")
# of `xlm-spec build`, and of `copier update`
BEGIN = re.compile(rb"^<{7} (?:yours|before updating)\r?$", re.M)
END = re.compile(rb"^>{7} (?:this build|after updating)\r?$", re.M)
PLAIN = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
MOST_CONFLICTS = 127  # what git counts to; above it, it failed


@dataclass(frozen=True)
class Merged:
    """A text, and the lines (from 1) at which its conflicts begin."""

    text: bytes
    conflicts: tuple[int, ...]


def merge(yours: bytes, base: bytes, new: bytes) -> Merged | None:
    """Both changes of `base`; where they touch the same lines, both between markers.

    In the ends of lines that `yours` has. None where git is missing, or can't merge such texts.
    """
    with tempfile.TemporaryDirectory(prefix="xlm-spec-") as place:
        files = []
        for name, text in zip(LABELS, (plain(yours), base, new), strict=True):
            files.append(Path(place, name))
            files[-1].write_bytes(text)
        command = ["git", "merge-file", "-p", "--diff3"]
        command += [word for name in LABELS for word in ("-L", name)]
        try:
            done = subprocess.run([*command, *files], capture_output=True, env=os.environ | PLAIN)
        except OSError:
            return None
    if not 0 <= done.returncode <= MOST_CONFLICTS:
        return None
    text = like(yours, done.stdout)
    return Merged(text, conflicts(text) if done.returncode else ())


def conflicts(text: bytes) -> tuple[int, ...]:
    """The lines, from 1, at which conflicts of a merge begin, or end without a beginning."""
    begins, ends = ([*p.finditer(text)] for p in (BEGIN, END))
    return tuple(text.count(b"\n", 0, m.start()) + 1 for m in begins or ends)


def crlf(text: bytes) -> bool:
    """Does every line end as on Windows?"""
    return b"\r\n" in text and text.count(b"\r\n") == text.count(b"\n")


def plain(text: bytes) -> bytes:
    """With the ends of lines that builds write."""
    return text.replace(b"\r\n", b"\n") if crlf(text) else text


def like(yours: bytes, text: bytes) -> bytes:
    """The text with the ends of lines that a person's file has."""
    return text.replace(b"\n", b"\r\n") if crlf(yours) else text


def same(a: bytes, b: bytes) -> bool:
    """Equal but for the ends of lines."""
    return a == b or plain(a) == plain(b)
