"""A lock on a package's folder: a second build of the same package waits for the first."""

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

TIMEOUT = 30.0  # seconds


@contextmanager
def build_lock(folder: Path, timeout: float = TIMEOUT) -> Iterator[None]:
    """Locks the package's folder. Raises Failed: X409 after `timeout` seconds of waiting, X403.

    The lock ends with its process, even if the process is killed. A folder that is still empty at
    the end is removed.
    """
    state = folder / ".xlm"
    try:
        state.mkdir(parents=True, exist_ok=True)
        attempts = flock_attempts(state) if fcntl else lock_file_attempts(state / "building")
        until = time.monotonic() + timeout
        while not next(attempts):
            if time.monotonic() > until:
                message = f"another build of this package is still running after {timeout:.0f} s"
                raise Failed(Diagnostic("X409", message, file=str(folder)))
            time.sleep(0.05)
    except OSError as e:
        message = f"cannot write: {e.strerror}"
        raise Failed(Diagnostic("X403", message, file=str(e.filename or folder))) from None
    try:
        yield
    finally:
        with suppress(OSError):
            state.rmdir()
            folder.rmdir()
        attempts.close()


def flock_attempts(folder: Path) -> Generator[bool, None, None]:
    """Each step tries to lock the folder's file descriptor and yields whether it succeeded."""
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
            os.close(handle)  # a failed build removed the folder
            folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(folder, os.O_RDONLY)
    finally:
        with suppress(OSError):
            os.close(handle)


def lock_file_attempts(file: Path) -> Generator[bool, None, None]:
    """The same without `flock`: only one build can create the file. A killed build leaves it."""
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
