"""Where a path of a package lies on the disk: never outside the package's folder."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from xlm_spec.diagnostics import Diagnostic, Failed


def place(folder: Path, path: str) -> Path:
    """The file itself, where a link within the package leads to it. Raises Failed (X403)."""
    home, file = folder.resolve(), folder / path
    found = Path(os.path.realpath(file))
    if home not in found.parents:
        told = "a symbolic link leads out of the package; nothing was written"
        raise Failed(Diagnostic("X403", told, file=str(file)))
    return found


def content(file: Path) -> bytes | None:
    """Of a file, if it is there. Raises Failed (X403)."""
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise Failed(
                Diagnostic("X403", "a file belongs here, and this is none", file=str(file))
            )
        return file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as e:
        told = f"cannot read what is there: {e.strerror}"
        raise Failed(Diagnostic("X403", told, file=str(file))) from None


def digest(text: bytes | None) -> str | None:
    """The sha256; of nothing, nothing."""
    return None if text is None else hashlib.sha256(text).hexdigest()


def replace(file: Path, data: bytes) -> None:
    """Writes beside the file, then renames: a reader sees the old or the new, never a part."""
    os.replace(beside(file, data), file)


def create(file: Path, data: bytes) -> None:
    """The same, of a file that is not there. Raises FileExistsError."""
    made = beside(file, data)
    try:
        os.link(made, file)
    finally:
        os.unlink(made)


def beside(file: Path, data: bytes) -> str:
    """A file of the same folder that holds the data."""
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
