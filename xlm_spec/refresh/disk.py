"""Reads and writes the files of a package, never outside the package's folder."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from xlm_spec.diagnostics import Diagnostic, Failed


def real_path(folder: Path, path: str) -> Path:
    """The file after links inside the package are followed.

    Raises Failed (X403) if a link leads out of the package.
    """
    home = os.path.realpath(folder)
    found = os.path.realpath(os.path.join(home, path))
    if not found.startswith(os.path.join(home, "")):
        message = "symbolic link leads out of the package; nothing was written"
        raise Failed(Diagnostic("X403", message, file=str(folder / path)))
    return Path(found)


def content(file: Path) -> bytes | None:
    """The bytes of a file; None if it does not exist. Raises Failed (X403)."""
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise Failed(Diagnostic("X403", "not a regular file", file=str(file)))
        return file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as e:
        message = f"cannot read the file: {e.strerror}"
        raise Failed(Diagnostic("X403", message, file=str(file))) from None


def digest(text: bytes | None) -> str | None:
    """The SHA-256 of a text; None for None."""
    return None if text is None else hashlib.sha256(text).hexdigest()


def replace(file: Path, data: bytes) -> None:
    """Writes a temporary file, then renames it: a reader sees the old text or the new one."""
    os.replace(temporary(file, data), file)


def create(file: Path, data: bytes) -> None:
    """The same for a new file. Raises FileExistsError if the file exists."""
    made = temporary(file, data)
    try:
        os.link(made, file)
    finally:
        os.unlink(made)


def temporary(file: Path, data: bytes) -> str:
    """A temporary file in the same folder that holds the data."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, made = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
        os.chmod(made, 0o644)
    except BaseException:
        os.unlink(made)
        raise
    return made
