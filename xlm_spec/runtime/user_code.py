"""Python files of users: executed as modules; their exceptions become diagnostics with the line."""

import sys
import traceback
from functools import cache
from pathlib import Path
from types import ModuleType

from xlm_spec.diagnostics import Diagnostic, Failed, Span
from xlm_spec.runtime.randomness import seed_of

TASK = ("X505", "task file")
EXTENSION = ("X617", "file")
Kind = tuple[str, str]  # the code of its diagnostics, and what the file is called in them


def source_of(file: Path, kind: Kind) -> str:
    """The text of a file. Raises Failed."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as e:
        reason = getattr(e, "strerror", None) or "not UTF-8 text"
        code, name = kind
        raise Failed(
            Diagnostic(code, f"cannot read the {name}: {reason}", file=str(file))
        ) from None


def executed(file: Path, source: str, kind: Kind) -> ModuleType:
    """The module, executed anew at each call so that edits take effect. Raises Failed."""
    module = ModuleType(f"xlm_spec_{kind[1].split()[0]}_{seed_of(str(file)):x}")
    module.__file__ = str(file)
    sys.modules[module.__name__] = module  # dataclasses and inspect look it up
    try:
        exec(compile(source, str(file), "exec"), module.__dict__)
    except (Exception, SystemExit) as e:
        raise failure(e, file, source, kind) from None
    return module


@cache
def executed_once(file: Path, source: str) -> ModuleType:
    """The module of a file with extensions, which all of its names share. Raises Failed (X617)."""
    return executed(file, source, EXTENSION)


def failure(e: BaseException, file: Path, source: str, kind: Kind) -> Failed:
    """The exception of a user's code, with the line in its file."""
    frames = traceback.extract_tb(e.__traceback__)
    at = [f.lineno for f in frames if f.filename == str(file) and f.lineno]
    in_file = isinstance(e, SyntaxError) and e.filename == str(file)
    line = e.lineno if in_file else next(reversed(at), None)  # type: ignore[attr-defined]
    text = (source.splitlines() + [""])[line - 1] if line else ""
    span = Span(line - 1, len(text) - len(text.lstrip()), line - 1, len(text)) if line else None
    why = e.msg if isinstance(e, SyntaxError) else e
    code, name = kind
    message = f"the {name} raises {type(e).__name__}: {why}"
    return Failed(Diagnostic(code, message, file=str(file), span=span, source=source))
