"""An exception in the code of a package: its place in one diagnostic (X621)."""

import traceback
from pathlib import Path

from xlm_spec.diagnostics import Diagnostic, Span, first_line

LIBRARY = Path(__file__).parent.parent


def package_error(e: BaseException, folder: Path) -> Diagnostic | None:
    """The diagnostic of an exception that arises in a package in this folder; None if elsewhere.

    It arises where the innermost frame of the package and of this library is: an exception of
    torch, in a call by the package, is one of the package.
    """
    frames = [f for f in traceback.extract_tb(e.__traceback__) if is_in(f, folder, LIBRARY)]
    if not frames or not is_in(frames[-1], folder):
        return None
    place, callers = frames[-1], [f for f in reversed(frames[:-1]) if is_in(f, folder)]
    message = f"`{place.name}` raises {type(e).__name__}: {first_line(e)}"
    hint = ", ".join(f"{Path(f.filename).name}:{f.lineno}" for f in callers)
    source = Path(place.filename).read_text(encoding="utf-8")
    hint = f"called in {hint}" if hint else ""
    return Diagnostic("X621", message, hint, place.filename, span_of(place), source)


def is_in(frame: traceback.FrameSummary, *folders: Path) -> bool:
    """Is it a frame of a file in one of these folders? Not of the start of a package."""
    file = Path(frame.filename)
    return file.name != "__main__.py" and any(file.is_relative_to(f) for f in folders)


def span_of(frame: traceback.FrameSummary) -> Span:
    """The expression that raises, or the start of its line."""
    line, column = (frame.lineno or 1) - 1, frame.colno or 0
    last, end = (frame.end_lineno or line + 1) - 1, frame.end_colno or column + 1
    return Span(line, column, last, end)
