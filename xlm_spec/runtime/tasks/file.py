"""A task from a file of the user's: a module that holds it as TASK."""

import inspect
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from xlm_spec.diagnostics import Diagnostic, Failed, Span
from xlm_spec.runtime.randomness import seed_of
from xlm_spec.runtime.tasks.task import Task

NEEDED = (*Task.__annotations__, "with_options", "rows")
OF_TEXT = ("characters",)


class Own:
    """A task of the user's: what its own code raises is told with its line (X505)."""

    def __init__(self, task: Any, file: Path, source: str):
        self._task, self._file, self._source = task, file, source

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        found = self._told(getattr, self._task, name)
        if name == "with_options":
            return lambda *a: Own(self._told(found, *a), self._file, self._source)
        return partial(self._told, found) if inspect.ismethod(found) else found

    def _told(self, call: Callable, *arguments: Any) -> Any:
        try:
            return call(*arguments)
        except (Failed, AttributeError):  # an attribute that is not there is asked for, too
            raise
        except Exception as e:
            raise failure(e, self._file, self._source) from None


def from_file(path: str) -> Task:
    """The TASK of a file. Raises Failed (X505)."""
    file = Path(path).expanduser().resolve()
    try:
        source = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        told = getattr(e, "strerror", None) or "not a text in UTF-8"
        raise Failed(
            Diagnostic("X505", f"cannot read the task's file: {told}", file=str(file))
        ) from None
    task = getattr(executed(file, source), "TASK", None)
    if task is None:
        hint = "write TASK = Pairs(...), for example"
        raise Failed(Diagnostic("X505", "the file holds no TASK", hint, str(file)))
    needed = NEEDED if getattr(task, "ends", True) else (*NEEDED, *OF_TEXT)
    lacking = [n for n in needed if not hasattr(task, n)]
    if lacking:
        told = f"TASK lacks {', '.join(f'`{n}`' for n in lacking)}"
        hint = "xlm_spec/runtime/tasks/task.py says what each is"
        raise Failed(Diagnostic("X505", told, hint, str(file)))
    return cast(Task, Own(task, file, source))


def executed(file: Path, source: str) -> ModuleType:
    """The module; anew at each call, so that an edit is never missed. Raises Failed (X505)."""
    module = ModuleType(f"xlm_spec_task_{seed_of(str(file)):x}")
    module.__file__ = str(file)
    sys.modules[module.__name__] = module  # where dataclasses and inspect look for it
    try:
        exec(compile(source, str(file), "exec"), module.__dict__)
    except (Exception, SystemExit) as e:
        raise failure(e, file, source) from None
    return module


def failure(e: Exception | SystemExit, file: Path, source: str) -> Failed:
    """What a task's own code raised, and in which of its lines."""
    frames = traceback.extract_tb(e.__traceback__)
    at = [f.lineno for f in frames if f.filename == str(file) and f.lineno]
    own = isinstance(e, SyntaxError) and e.filename == str(file)
    line = e.lineno if own else next(reversed(at), None)  # type: ignore[union-attr]
    text = (source.splitlines() + [""])[line - 1] if line else ""
    span = Span(line - 1, len(text) - len(text.lstrip()), line - 1, len(text)) if line else None
    why = e.msg if isinstance(e, SyntaxError) else e
    told = f"the task's file raises {type(e).__name__}: {why}"
    return Failed(Diagnostic("X505", told, file=str(file), span=span, source=source))
