"""The tasks, one file each: `star_mini.py` holds the task `star_mini` as TASK."""

from importlib import import_module
from pkgutil import iter_modules

from xlm_spec.diagnostics import Diagnostic, Failed, alternatives
from xlm_spec.runtime.tasks.task import Task

PARTS = ("task", "star")  # what tasks are made of


def names() -> list[str]:
    return sorted(m.name for m in iter_modules(__path__) if m.name not in PARTS)


def find(name: str) -> Task:
    """The task of that name. Raises Failed (X501)."""
    if name not in names():
        raise Failed(Diagnostic("X501", f"no task is called `{name}`", alternatives(name, names())))
    return import_module(f"{__name__}.{name}").TASK
