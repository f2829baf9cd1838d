"""Diagnostics of invalid input: a code, a location, one sentence, a hint.

Used by the compiler and the runtime; imports only the standard library.
"""

import difflib
import os
import re
import sys
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TextIO

LONGEST, WIDEST = 80, 160  # characters of a quoted text, and of a source line
MOST = 400  # characters of a message or a hint
UNPRINTABLE = "\ufffd"


@dataclass(frozen=True)
class Span:
    """A range of a text: 0-based, without the end."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True)
class Diagnostic:
    """One error or warning. `source` is the text that `span` refers to."""

    code: str
    message: str
    hint: str = ""
    file: str = ""
    span: Span | None = None
    source: str = ""
    severity: str = "error"

    @property
    def order(self) -> tuple[int, int, str]:
        """The sort key of the diagnostics of one text."""
        return (self.span.line, self.span.column, self.code) if self.span else (-1, -1, self.code)

    def as_json(self) -> dict:
        """The object that `--json` prints; lines and columns are 1-based."""
        span = self.span
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "file": self.file,
            "line": span and span.line + 1,
            "column": span and span.column + 1,
            "end_line": span and span.end_line + 1,
            "end_column": span and span.end_column + 1,
            "hint": self.hint,
        }

    def text(self, colour: bool = False) -> str:
        """The diagnostic as lines for a terminal."""
        tone = "\33[33m" if self.severity == "warning" else "\33[31m"  # yellow, red
        red, blue, bold, plain = (tone, "\33[34m", "\33[1m", "\33[0m") if colour else [""] * 4
        message, file = shown(self.message, MOST), shown(self.file, MOST)
        out = [f"{red}{self.severity}[{self.code}]{plain}{bold}: {message}{plain}"]
        gutter = ""
        if self.file and self.span:
            number = str(self.span.line + 1)
            gutter = " " * len(number)
            line, caret = excerpt(self.source, self.span)
            out += [
                f"{gutter}{blue}-->{plain} {file}:{number}:{self.span.column + 1}",
                f"{gutter} {blue}|{plain}",
                f"{blue}{number} |{plain} {line}",
                f"{gutter} {blue}|{plain} {red}{caret}{plain}",
            ]
        elif self.file:
            out.append(f"{blue}-->{plain} {file}")
        if self.hint:
            out.append(f"{gutter} {blue}={plain} help: {shown(self.hint, MOST)}")
        return "\n".join(out)


class Failed(Exception):
    """The input is invalid: the diagnostics, and the exit code."""

    def __init__(self, diagnostics: Diagnostic | Iterable[Diagnostic], exit_code: int = 1):
        found = [diagnostics] if isinstance(diagnostics, Diagnostic) else list(diagnostics)
        super().__init__("; ".join(d.message for d in found))
        self.diagnostics, self.exit_code = found, exit_code

    def __reduce__(self) -> tuple:
        return Failed, (self.diagnostics, self.exit_code)  # from another process


def hidden(c: str) -> bool:
    """Is the character invisible, or does it change how the characters around it are displayed?

    True for control characters, surrogates, marks of direction and line ends other than LF. False
    for joiners, which some scripts and emoji need.
    """
    strange = unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") or c in "\ufffe\uffff"
    return strange and c not in "\n\t\u200c\u200d"


def seen(c: str) -> bool:
    return c.isprintable() or c == "\t"


def shown(text: object, most: int = LONGEST) -> str:
    """User text as part of a sentence: one line, shortened, unprintable characters replaced."""
    whole = str(text)
    part = whole if len(whole) <= most else whole[: most - 1] + "…"
    return "".join(" " if c in "\n\xa0" else c if seen(c) else UNPRINTABLE for c in part)


def excerpt(source: str, span: Span) -> tuple[str, str]:
    """The line in which a span begins, with carets below; of a long line, the part around it."""
    line = "".join(source.split("\n")[span.line : span.line + 1])
    end = span.end_column if span.end_line == span.line else len(line)
    first = 0 if len(line) <= WIDEST else max(0, span.column - WIDEST // 4)
    part = shown("…" * bool(first) + line[first:], WIDEST)
    start = span.column - first + bool(first)
    under = re.sub(r"[^\t]", " ", part[:start].ljust(start))
    return part, under + "^" * max(1, min(end - span.column, len(part) - start))


def first_line(e: BaseException) -> str:
    """The first line of an exception's message; its type if it has no message."""
    return next((line for line in str(e).splitlines() if line.strip()), type(e).__name__)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The most similar known word, or the only one that starts with `word`."""
    known = list(known)
    longer = [k for k in known if len(word) > 1 and k.startswith(word)]
    similar = difflib.get_close_matches(word, known, 1, 0.6) or (longer if len(longer) == 1 else [])
    return next(iter(similar), None)


def alternatives(word: object, known: Iterable[str]) -> str:
    """A hint: the most similar word, and all allowed words."""
    known = list(known)
    meant = nearest(str(word), known)
    listed = "allowed: " + ", ".join(known) if known else "no value is allowed here"
    return f"did you mean `{meant}`? {listed}" if meant else listed


def more(found: Iterable[Diagnostic]) -> str:
    """The command that explains the codes of these diagnostics."""
    codes = dict.fromkeys(d.code for d in found)
    return f"more: xlm-spec explain {' '.join(codes)}"


def wants_colour(stream: TextIO) -> bool:
    """Is the stream a terminal, and NO_COLOR unset?"""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def of_system(e: OSError) -> Diagnostic:
    """The diagnostic of an error of the operating system."""
    message = f"operating system error: {e.strerror or first_line(e)}"
    return Diagnostic("X611", message, file=str(e.filename2 or e.filename or ""))


def lenient_streams() -> None:
    """Lets stdout escape characters that its encoding lacks, as stderr does."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
