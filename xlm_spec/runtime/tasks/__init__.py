"""The tasks, one file each: `star_mini.py` holds the task `star_mini` as TASK; a user's, too."""

import os
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from xlm_spec.diagnostics import Diagnostic, Failed, alternatives
from xlm_spec.runtime.tasks.file import from_file
from xlm_spec.runtime.tasks.task import Task

PARTS = ("task", "file", "pairs", "star", "corpus")  # what tasks are made of


def names() -> list[str]:
    return sorted(m.name for m in iter_modules(__path__) if m.name not in PARTS)


def find(name: str) -> Task:
    """The task of that name, or of that file. Raises Failed: X501, X505 of a file."""
    if is_file(name):
        return from_file(name)
    if name not in names():
        hint = f"{alternatives(name, names())}; or the path of a file, ./{name}.py"
        raise Failed(Diagnostic("X501", f"no task is called `{name}`", hint))
    return import_module(f"{__name__}.{name}").TASK


def is_file(name: str) -> bool:
    """What ends in `.py` or holds a separator is a path."""
    return name.endswith(".py") or "/" in name or os.sep in name


def recorded(name: str) -> str:
    """How a run records a task, to be found from another folder too."""
    return str(Path(name).expanduser().resolve()) if is_file(name) else name
