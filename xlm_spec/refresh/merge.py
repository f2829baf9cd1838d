"""Three texts into one: yours, the last build's and this build's. No line of yours is dropped."""

import codecs
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

LABELS = ("yours", "last build", "this build")
# markers of `xlm-spec build`, of `copier update`, and of anybody
OURS = re.compile(
    rb"^(?:<{7} (?:yours|before updating)|\|{7} last (?:build|update)"
    rb"|>{7} (?:this build|after updating))\r?$",
    re.M,
)
BEGIN, END = re.compile(rb"^<{7} .+$", re.M), re.compile(rb"^>{7} .+$", re.M)
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
            done = subprocess.run(
                [*command, *files], capture_output=True, cwd=place, env=plain_git()
            )
        except OSError:
            return None
    if not 0 <= done.returncode <= MOST_CONFLICTS:
        return None
    text = like(yours, done.stdout)
    return Merged(text, conflicts(text) if done.returncode else ())


def plain_git() -> dict[str, str]:
    """An environment in which git knows of no repository and no settings but its own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    kept["GIT_CEILING_DIRECTORIES"] = tempfile.gettempdir()
    return kept | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}


def conflicts(text: bytes, base: bytes = b"") -> tuple[int, ...]:
    """The lines, from 1, at which conflicts begin; with parts of one left, where these are.

    Markers that the last build wrote itself, as part of a component's text, are none.
    """
    found, known = markers(text), markers(base)
    return tuple(text.count(b"\n", 0, at) + 1 for at in found) if len(found) > len(known) else ()


def markers(text: bytes) -> list[int]:
    """Where conflicts begin: at our own labels or anybody's."""
    ours = [m.start() for m in OURS.finditer(text)]
    begins, ends = ([m.start() for m in p.finditer(text)] for p in (BEGIN, END))
    if begins and ends:
        return begins
    return ours[:1]


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
    """Equal but for the ends of lines and a mark at the start, as a spec is read."""
    return a == b or bare(a) == bare(b)


def bare(text: bytes) -> bytes:
    return re.sub(rb"\r\n?", b"\n", text.removeprefix(codecs.BOM_UTF8))
