"""Generated packages, imported from their folders."""

import contextlib
import importlib
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace

from xlm_spec.runtime.config.resolve_config import resolve_config
from xlm_spec.runtime.config.run import Run
from xlm_spec.runtime.weights.load_model import TrainedModel, load_model


def imported(folder: Path) -> tuple[ModuleType, ModuleType]:
    """The package in a folder of the same name, and its `__main__`."""
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(folder.name), importlib.import_module(
            f"{folder.name}.__main__"
        )
    finally:
        sys.path.remove(str(folder))


def resolved_run(folder: Path, task: str | None, size: str, sets: Sequence[str] = ()) -> Run:
    """The run of a package on a task, as `train` resolves it. Raises Failed: X5xx, X6xx."""
    package, main = imported(folder)
    return resolve_config(package, main.DATA, main.TRAIN, task, size, sets=sets)


def load_trained(folder: Path, run: Path, sets: Sequence[str] = ()) -> TrainedModel:
    """The trained model of a run; `sets` change settings of its samplers."""
    package, main = imported(folder)
    arguments = SimpleNamespace(run=run, checkpoint=None, task=None, sets=list(sets))
    with contextlib.redirect_stderr(io.StringIO()):  # hides `differs from the checkpoint`
        return load_model(package, main.DATA, main.TRAIN, arguments)
