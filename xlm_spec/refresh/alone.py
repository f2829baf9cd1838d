"""One build of a package at a time: the second waits for the first."""

import os
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from xlm_spec.diagnostics import Diagnostic, Failed

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

PATIENCE = 30.0  # seconds


@contextmanager
def alone(folder: Path, patience: float = PATIENCE) -> Iterator[None]:
    """Holds the package's folder. Raises Failed: X409 where another build does not end, X403.

    A hold ends with its process, however that ends. A folder that stays empty is removed again.
    """
    state = folder / ".xlm"
    try:
        state.mkdir(parents=True, exist_ok=True)
        hold = held(state) if fcntl else made(state / "building")
        until = time.monotonic() + patience
        while not next(hold):
            if time.monotonic() > until:
                told = f"another build of this package did not end within {patience:.0f} s"
                raise Failed(Diagnostic("X409", told, file=str(folder)))
            time.sleep(0.05)
    except OSError as e:
        told = f"cannot write: {e.strerror}"
        raise Failed(Diagnostic("X403", told, file=str(e.filename or folder))) from None
    try:
        yield
    finally:
        with suppress(OSError):
            state.rmdir()
            folder.rmdir()
        hold.close()


def held(folder: Path) -> Generator[bool, None, None]:
    """Is the folder ours now? Where files can be locked: a lock of its own file descriptor."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                continue
            if folder.exists() and os.path.samestat(os.fstat(handle), folder.stat()):
                yield True
                continue
            os.close(handle)  # a build that failed took the folder away
            folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(folder, os.O_RDONLY)
    finally:
        with suppress(OSError):
            os.close(handle)


def made(file: Path) -> Generator[bool, None, None]:
    """The same elsewhere: by a file that only one can make. One left by a killed build is named."""
    ours = False
    try:
        while True:
            with suppress(FileExistsError):
                os.close(os.open(file, os.O_CREAT | os.O_EXCL))
                ours = True
            yield ours
    finally:
        if ours:
            file.unlink(missing_ok=True)
