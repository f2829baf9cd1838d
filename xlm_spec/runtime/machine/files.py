"""Files of a run: written atomically, by one process at a time."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO

from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.runtime.machine import shards


class WholeFiles(TorchCheckpointIO):
    """Writes each checkpoint to a temporary file in the same folder, then renames it.

    Lightning writes to TMPDIR, which may be full or on another disk. Its last step is then a copy,
    and a process killed during the copy destroys the previous checkpoint.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path, storage_options=None) -> None:
        """Raises Failed (X609)."""
        file = Path(path)
        part = file.with_name(f"{file.name}.part")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as out:
                torch.save(checkpoint, out)
                out.flush()
                os.fsync(out.fileno())
            put(part, file)
        except (OSError, RuntimeError) as e:  # torch's writer hides the error of the system
            with suppress(OSError):
                part.unlink()
            raise unwritable(file, "cannot write the checkpoint", e) from None

    def load_checkpoint(self, path, map_location=None, weights_only=None) -> dict[str, Any]:
        """A checkpoint of the run, whole also if it is sharded."""
        if shards.is_sharded(Path(path)):
            return shards.read(Path(path), *shards.PARTS)
        return super().load_checkpoint(path, map_location, weights_only)

    def remove_checkpoint(self, path) -> None:
        remove(Path(path))


def put(part: Path, target: Path) -> None:
    """Moves a complete file or folder to its place.

    A folder is not replaced at once: if the process is killed meanwhile, `NAME.old` is the previous
    one.
    """
    old = target.with_name(f"{target.name}.old")
    if target.is_dir() or (part.is_dir() and target.exists()):
        remove(old)
        target.rename(old)
    part.replace(target)
    remove(old)


def remove(path: Path) -> None:
    """Removes a file or a folder, if it exists."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def unwritable(path: Path, message: str, e: BaseException) -> Failed:
    causes = [c for c in (e, e.__cause__, e.__context__) if isinstance(c, OSError) and c.strerror]
    why = causes[0].strerror if causes else "the disk may be full"
    hint = "free disk space or choose another --run; earlier checkpoints are intact"
    return Failed(Diagnostic("X609", f"{message}: {why}", hint, str(path)))


def write(file: Path, text: str) -> None:
    """Writes a file atomically. Raises OSError."""
    part = file.with_name(f"{file.name}.part")
    part.write_text(text, encoding="utf-8", newline="\n")
    part.replace(file)


def new_folder(package: str, task: str) -> Path:
    """Creates runs/<package>/<task>-<n> with the first free n. Raises Failed (X609).

    Creation is atomic: two runs that start at the same moment get different folders.
    """
    home, n = Path("runs") / package, 1
    try:
        home.mkdir(parents=True, exist_ok=True)
        while True:
            with suppress(FileExistsError):
                folder = home / f"{task}-{n}"
                folder.mkdir()
                return folder
            n += 1
    except OSError as e:
        raise unwritable(home, "cannot create a run folder", e) from None


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Creates and locks a run folder. Raises Failed: X607 if it is locked, X609."""
    try:
        created = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("a")
    except OSError as e:
        raise unwritable(folder, "cannot write into the run folder", e) from None
    try:
        with lock:
            if not try_lock(lock):
                hint = "wait until it ends, or choose another --run"
                message = "another process is training in this folder"
                raise Failed(Diagnostic("X607", message, hint, str(folder)))
            yield
    except Failed:
        if created:
            discard(folder)
        raise


def try_lock(file) -> bool:
    """A lock of this process alone: its loading processes may outlive it for seconds."""
    try:
        import fcntl
    except ImportError:  # Windows: no locks
        return True
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:  # a file system without locks
        return True
    return True


def discard(folder: Path) -> None:
    """Removes a run folder without files of a run."""
    with suppress(OSError):
        if [f.name for f in folder.iterdir()] in ([".lock"], []):
            (folder / ".lock").unlink(missing_ok=True)
            folder.rmdir()
