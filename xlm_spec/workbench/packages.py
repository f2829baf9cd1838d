"""Packages on disk, imported from the folder that they were built into."""

import contextlib
import importlib
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace

from xlm_spec.runtime.choose import Run, choose
from xlm_spec.runtime.loaded import Loaded, load


def imported(folder: Path) -> tuple[ModuleType, ModuleType]:
    """The package of that folder, which has its name, and its `__main__`."""
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(folder.name), importlib.import_module(
            f"{folder.name}.__main__"
        )
    finally:
        sys.path.remove(str(folder))


def chosen(folder: Path, task: str, size: str, sets: Sequence[str] = ()) -> Run:
    """A package on a task, as `train` would take it. Raises Failed: X5xx, X6xx."""
    package, main = imported(folder)
    return choose(package, main.DATA, main.TRAIN, task, size, sets=sets)


def loaded(folder: Path, run: Path, sets: Sequence[str] = ()) -> Loaded:
    """The trained network of a run, with other numbers of its samplers."""
    package, main = imported(folder)
    asked = SimpleNamespace(run=run, checkpoint=None, task=None, sets=list(sets))
    with contextlib.redirect_stderr(io.StringIO()):  # what differs from the checkpoint: the sets
        return load(package, main.DATA, main.TRAIN, asked)
