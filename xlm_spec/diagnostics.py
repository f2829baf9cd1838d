"""What a person is told of a bad input: code, place, one sentence, what is allowed, a hint.

Used by the compiler and the runtime alike; imports nothing but the standard library.
"""

import difflib
import os
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TextIO

LONGEST, WIDEST = 80, 160  # characters of a quoted text, and of a line
MOST = 400  # of a message or a hint
UNSEEN = "\ufffd"


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
        loud = "\33[33m" if self.severity == "warning" else "\33[31m"  # yellow, red
        red, blue, bold, plain = (loud, "\33[34m", "\33[1m", "\33[0m") if colour else [""] * 4
        told, file = shown(self.message, MOST), shown(self.file, MOST)
        out = [f"{red}{self.severity}[{self.code}]{plain}{bold}: {told}{plain}"]
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
    """The input is bad; what is wrong, and the exit code it ends in."""

    def __init__(self, diagnostics: Diagnostic | Iterable[Diagnostic], exit_code: int = 1):
        found = [diagnostics] if isinstance(diagnostics, Diagnostic) else list(diagnostics)
        super().__init__("; ".join(d.message for d in found))
        self.diagnostics, self.exit_code = found, exit_code


def hidden(c: str) -> bool:
    """Is it a character that is not seen, or that changes how those around it are read?

    Controls, halves of a pair, changes of direction, ends of lines but for the plain one. Joiners
    are letters' business in some scripts, and part of pictures.
    """
    strange = unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") or c in "\ufffe\uffff"
    return strange and c not in "\n\t\u200c\u200d"


def seen(c: str) -> bool:
    return c.isprintable() or c == "\t"


def shown(text: object, most: int = LONGEST) -> str:
    """A text of somebody's as part of a sentence: in one line, not too long, nothing hidden."""
    whole = str(text)
    part = whole if len(whole) <= most else whole[: most - 1] + "…"
    return "".join(" " if c in "\n\xa0" else c if seen(c) else UNSEEN for c in part)


def excerpt(source: str, span: Span) -> tuple[str, str]:
    """The line in which a span begins, and carets below it; of a long one the part around it."""
    line = "".join(source.split("\n")[span.line : span.line + 1])
    end = span.end_column if span.end_line == span.line else len(line)
    first = 0 if len(line) <= WIDEST else max(0, span.column - WIDEST // 4)
    part = shown("…" * bool(first) + line[first:], WIDEST)
    start = span.column - first + bool(first)
    under = re.sub(r"[^\t]", " ", part[:start].ljust(start))
    return part, under + "^" * max(1, min(end - span.column, len(part) - start))


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
