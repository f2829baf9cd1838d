"""The tasks, one per file: `star_mini.py` defines the task `star_mini` as TASK, like a user's."""

import os
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from xlm_spec.diagnostics import Diagnostic, Failed, alternatives
from xlm_spec.runtime.tasks.file import from_file
from xlm_spec.runtime.tasks.task import Task

# Modules that are no tasks.
PARTS = ("task", "file", "drawn", "generated", "star", "corpus", "documents", "language", "tables")


def names() -> list[str]:
    return sorted(m.name for m in iter_modules(__path__) if m.name not in PARTS)


def find(name: str) -> Task:
    """The task of that name or file. Raises Failed: X501, X505 for a file."""
    if is_file(name):
        return from_file(name)
    if (plain := name.replace("-", "_")) in names():
        name = plain
    else:
        hint = f"{alternatives(name, names())}; or a path to a file, ./{name}.py"
        raise Failed(Diagnostic("X501", f"unknown task `{name}`", hint))
    return import_module(f"{__name__}.{name}").TASK


def is_file(name: str) -> bool:
    """True for a path: it ends with `.py` or contains a separator."""
    return name.endswith(".py") or "/" in name or os.sep in name


def recorded(name: str) -> str:
    """The name of a task in config.yaml; the path of a file is absolute."""
    return str(Path(name).expanduser().resolve()) if is_file(name) else name
