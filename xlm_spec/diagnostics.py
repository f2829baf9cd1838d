"""What a person is told of a bad input: code, place, one sentence, what is allowed, a hint.

Used by the compiler and the runtime alike; imports nothing but the standard library.
"""

import difflib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TextIO

WIDEST = 160  # characters of a line that are shown
LONGEST = 400  # of a message or a hint


@dataclass(frozen=True)
class Span:
    """A stretch of a text, 0-based, the end excluded."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True)
class Diagnostic:
    """One thing that is wrong. `source` is the text in which `span` lies."""

    code: str
    message: str
    hint: str = ""
    file: str = ""
    span: Span | None = None
    source: str = ""
    severity: str = "error"

    @property
    def order(self) -> tuple[int, int, str]:
        """By which diagnostics of one text are sorted."""
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
        """The lines that a person reads."""
        red, blue, bold, plain = ("\33[31m", "\33[34m", "\33[1m", "\33[0m") if colour else [""] * 4
        told, file = visible(self.message), visible(self.file)
        out = [f"{red}{self.severity}[{self.code}]{plain}{bold}: {told}{plain}"]
        gutter = ""
        if self.file and self.span:
            line = (self.source.splitlines()[self.span.line : self.span.line + 1] or [""])[0]
            number = str(self.span.line + 1)
            gutter = " " * len(number)
            one_line = self.span.end_line == self.span.line
            start = self.span.column
            end = self.span.end_column if one_line else len(line)
            cut = max(0, start - WIDEST // 2) if len(line) > WIDEST else 0
            shown = visible(line[cut : cut + WIDEST])
            under = re.sub(r"[^\t]", " ", shown[: start - cut])
            caret = under + "^" * min(max(1, end - start), WIDEST)
            out += [
                f"{gutter}{blue}-->{plain} {file}:{number}:{self.span.column + 1}",
                f"{gutter} {blue}|{plain}",
                f"{blue}{number} |{plain} {shown}",
                f"{gutter} {blue}|{plain} {red}{caret}{plain}",
            ]
        elif self.file:
            out.append(f"{blue}-->{plain} {file}")
        if self.hint:
            out.append(f"{gutter} {blue}={plain} help: {visible(self.hint)}")
        return "\n".join(out)


def visible(text: str) -> str:
    """Text that can't move the cursor, nor hide what it says, nor fill the screen."""
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    return "".join(c if c.isprintable() or c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


class Failed(Exception):
    """The input is bad; what is wrong, and the exit code it ends in."""

    def __init__(self, diagnostics: Diagnostic | Iterable[Diagnostic], exit_code: int = 1):
        found = [diagnostics] if isinstance(diagnostics, Diagnostic) else list(diagnostics)
        super().__init__("; ".join(d.message for d in found))
        self.diagnostics, self.exit_code = found, exit_code


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant: one that is alike, or the only one it begins."""
    known = list(known)
    begun = [k for k in known if len(word) > 1 and k.startswith(word)]
    alike = difflib.get_close_matches(word, known, 1, 0.6) or (begun if len(begun) == 1 else [])
    return next(iter(alike), None)


def alternatives(word: object, known: Iterable[str]) -> str:
    """A hint: the word that was probably meant, and all that are allowed."""
    known = list(known)
    meant = nearest(str(word), known)
    listed = "allowed: " + ", ".join(known) if known else "nothing is allowed here"
    return f"did you mean `{meant}`? {listed}" if meant else listed


def more(found: Iterable[Diagnostic]) -> str:
    """Where to read more of what was told."""
    codes = dict.fromkeys(d.code for d in found)
    return f"more: xlm-spec explain {' '.join(codes)}"


def wants_colour(stream: TextIO) -> bool:
    """A terminal that NO_COLOR does not forbid."""
    return stream.isatty() and not os.environ.get("NO_COLOR")
