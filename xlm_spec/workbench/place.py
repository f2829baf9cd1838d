"""The folder of a comparison, held by one at a time, and the files in it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from xlm_spec.diagnostics import Diagnostic, Failed


@contextmanager
def held(out: Path) -> Iterator[int]:
    """Makes the folder and waits until nobody else is at work in it; gives what to inherit.

    A training process holds it too: where only its parent was killed, it trains on, and the next
    comparison waits for it rather than start beside it. Raises Failed (X803).
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        file = (out / ".lock").open("a")
    except OSError as e:
        raise unwritable(out, e) from None
    with file:
        locked(file, out)
        yield file.fileno()


def put(file: Path, text: str) -> None:
    """Writes beside the file, then renames: a file that is there is whole. Raises Failed (X803)."""
    beside = file.with_name(f"{file.name}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text, encoding="utf-8", errors="xmlcharrefreplace", newline="\n")
        beside.replace(file)
    except OSError as e:
        raise unwritable(file, e) from None


def unwritable(place: Path, e: OSError) -> Failed:
    told = f"cannot write there: {e.strerror}"
    return Failed(Diagnostic("X803", told, "another --out, or room on the disk", str(place)))


def locked(file: IO, out: Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: a folder is not held
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"another process is at work in {out}; waiting for it", file=sys.stderr, flush=True)
        fcntl.flock(file, fcntl.LOCK_EX)
