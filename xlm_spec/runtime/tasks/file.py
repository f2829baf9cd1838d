"""A task from a user's file: a module that defines TASK."""

import inspect
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

from xlm_spec.diagnostics import Diagnostic, Failed, Span
from xlm_spec.runtime.tasks.task import Task
from xlm_spec.runtime.user_code import TASK, executed, failure, source_of

REQUIRED = (*Task.__annotations__, "with_options", "rows")
REQUIRED_OF_TEXT = ("characters",)


class UserTask:
    """A user's task. Exceptions of its code become diagnostics with the line (X505)."""

    def __init__(self, task: Any, file: Path, source: str):
        self._task, self._file, self._source = task, file, source

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        value = self._call(getattr, self._task, name)
        if name == "with_options":
            return lambda *a: UserTask(self._call(value, *a), self._file, self._source)
        return partial(self._call, value) if inspect.ismethod(value) else value

    def at(self, text: str, message: str, hint: str) -> Diagnostic:
        """X505 at the first occurrence of a text in the file, if there is one."""
        before, found, _ = self._source.partition(text)
        line, column = before.count("\n"), len(before) - before.rfind("\n") - 1
        span = Span(line, column, line, column + len(text)) if found else None
        return Diagnostic("X505", message, hint, str(self._file), span, self._source)

    def _call(self, function: Callable, *arguments: Any) -> Any:
        try:
            return function(*arguments)
        except (Failed, AttributeError):  # optional attributes may be missing
            raise
        except Exception as e:
            raise failure(e, self._file, self._source, TASK) from None


def from_file(path: str) -> Task:
    """The TASK of a file. Raises Failed (X505)."""
    file = Path(path).expanduser().resolve()
    source = source_of(file, TASK)
    task = getattr(executed(file, source, TASK), "TASK", None)
    if task is None:
        hint = "define it, e.g. TASK = Pairs(...)"
        raise Failed(Diagnostic("X505", "the file does not define TASK", hint, str(file)))
    required = REQUIRED if getattr(task, "ends", True) else (*REQUIRED, *REQUIRED_OF_TEXT)
    missing = [n for n in required if not defines(task, n)]
    if missing:
        message = f"TASK lacks {', '.join(f'`{n}`' for n in missing)}"
        hint = "xlm_spec/runtime/tasks/task.py describes each"
        raise Failed(Diagnostic("X505", message, hint, str(file)))
    return cast(Task, UserTask(task, file, source))


def defines(task: Any, name: str) -> bool:
    """Has a task this attribute? A property, which may need options, is not evaluated."""
    try:
        inspect.getattr_static(task, name)
    except AttributeError:
        return hasattr(task, name)
    return True
