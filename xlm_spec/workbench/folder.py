"""The folder of a comparison, locked by one process at a time, and its files."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from xlm_spec.diagnostics import Diagnostic, Failed


@contextmanager
def lock_folder(out: Path) -> Iterator[int]:
    """Creates the folder and waits for its lock; yields the file descriptor of the lock.

    Training processes inherit the lock: if only their parent was killed, they continue, and the
    next comparison waits for them. Raises Failed (X803).
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        file = (out / ".lock").open("a")
    except OSError as e:
        raise unwritable(out, e) from None
    with file:
        wait_for_lock(file, out)
        yield file.fileno()


def write_whole(file: Path, text: str) -> None:
    """Writes a file atomically. Raises Failed (X803)."""
    part = file.with_name(f"{file.name}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8", errors="xmlcharrefreplace", newline="\n")
        part.replace(file)
    except OSError as e:
        raise unwritable(file, e) from None


def unwritable(path: Path, e: OSError) -> Failed:
    message = f"cannot write the comparison: {e.strerror}"
    return Failed(Diagnostic("X803", message, "choose another --out or free disk space", str(path)))


def wait_for_lock(file: IO, out: Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: no locks
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"waiting for another process that uses {out}", file=sys.stderr, flush=True)
        fcntl.flock(file, fcntl.LOCK_EX)
