"""The folder of a comparison, held by one at a time."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from xlm_spec.diagnostics import Diagnostic, Failed


@contextmanager
def held(out: Path) -> Iterator[int | None]:
    """Makes the folder and waits until nobody else is at work in it; gives what to inherit.

    A training process holds it too: where only its parent was killed, it trains on, and the next
    comparison waits for it rather than start beside it. Raises Failed (X803).
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with (out / ".lock").open("a") as file:
            locked(file, out)
            yield file.fileno()
    except OSError as e:
        told = f"cannot write there: {e.strerror}"
        raise Failed(Diagnostic("X803", told, "another --out", str(out))) from None


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
