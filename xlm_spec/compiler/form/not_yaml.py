"""What a person is told of a text that is not YAML: where it went wrong, and how to mend it.

The parser's own words name its tokens, and often a place far behind the mistake.
"""

import re
from dataclasses import dataclass

from ruamel.yaml.error import MarkedYAMLError, StringMark

from xlm_spec.diagnostics import Span

COLUMN = "the keys of one mapping stand in one column, those inside it further right"
TEXT = "put the whole text in quotes"
COLON = "a key is followed by a colon and a space: `name: method`"


@dataclass(frozen=True)
class Told:
    """What is told, the way out, and the place."""

    message: str
    hint: str = ""
    span: Span | None = None


def explain(error: MarkedYAMLError, text: str) -> Told:
    """What is told of an error of the parser."""
    problem, lines = str(error.problem or error.context), text.splitlines()
    mark: StringMark | None = error.problem_mark or error.context_mark
    if mark is None:
        return Told(problem)
    line = lines[mark.line] if mark.line < len(lines) else ""
    before, here = line[: mark.column], at(mark.line, mark.column)
    opened: StringMark | None = error.context_mark
    if opened and "quoted scalar" in str(error.context):
        escape = "escape" in problem
        told = "an escape that YAML does not know" if escape else "a quote that is never closed"
        hint = "write \\\\ for a backslash, or single quotes" if escape else "close it in its line"
        return Told(told, hint, here if escape else at(opened.line, opened.column))
    if opened and (found := re.search(r"expected ',' or '(.)'", problem)):
        return not_closed(found[1], opened, mark.line, before, "stream end" in problem)
    if "mapping values" in problem:
        return second_colon(lines, mark.line, before)
    if "\\t" in problem:
        return Told("a tab, where YAML takes spaces", "indent with spaces, not tabs", here)
    if found := re.search(r"found character '(.)'", problem):
        told = f"a text cannot start with {found[1]}"
        return Told(told, TEXT, here)
    if found := re.search(r"undefined alias '(.*)'", problem):
        told = f"`*{found[1]}` stands for an anchor that is not there"
        hint = "write the value itself; a text that starts with * stands in quotes"
        return Told(told, hint, at(mark.line, mark.column, len(found[1]) + 1))
    if "sequence entries" in problem:
        hint = "write the list in brackets, `[a, b]`, or each item in a line of its own"
        return Told("a list cannot start here", hint, here)
    if "expected <block end>" in problem:
        return misplaced(problem, before, here)
    if "could not find expected ':'" in problem and opened:
        whole = lines[opened.line].strip() if opened.line < len(lines) else ""
        place = at(opened.line, opened.column, len(whole))
        return Told("no `: ` behind the key", COLON, place)
    return Told(problem, "", here)


def at(line: int, column: int, width: int = 1) -> Span:
    return Span(line, column, line, column + width)


def not_closed(close: str, opened: StringMark, line: int, before: str, at_end: bool) -> Told:
    """Of a bracket: never closed, or a comma is missing between two of its entries."""
    bracket = "{" if close == "}" else "["
    if at_end or opened.line != line:
        told = f"`{bracket}` is not closed, or a comma is missing behind an entry"
        return Told(told, f"write `{close}` at its end", at(opened.line, opened.column))
    word = re.search(r"\S*\s*$", before)
    start = word.start() if word else len(before)
    if before[start:].startswith("$"):
        return Told("a spec has no variables", "write the value out", at(line, start))
    hint = f"write a comma before it, or `{close}`"
    width = max(1, len(before[start:].rstrip()))
    return Told("no comma before this entry", hint, at(line, start, width))


def second_colon(lines: list[str], line: int, before: str) -> Told:
    """Of a colon where no key can stand."""
    here = at(line, len(before))
    if re.search(r":\s", before):
        key, _, value = before.strip("- ").partition(": ")
        rest = lines[line][len(before) :].partition(" #")[0].rstrip()
        inner = f"{{{value}{rest}}}" if re.fullmatch(r"[a-z0-9_]+", value) else f'"{value}{rest}"'
        hint = f"write `{key}: {inner}`" if rest.strip(": ") else TEXT
        return Told("a second `: ` in one entry", hint, here)
    above = next((i for i in range(line - 1, -1, -1) if lines[i].split("#")[0].strip()), None)
    if above is not None and not re.search(r":(\s|$)", lines[above]):
        text = lines[above].strip()
        start = len(lines[above]) - len(lines[above].lstrip())
        return Told("no `: ` behind the key", COLON, at(above, start, len(text)))
    start = len(before) - len(before.lstrip())
    told = "this key is indented, but the one above it already has a value"
    return Told(told, COLUMN, at(line, start, len(before.strip())))


def misplaced(problem: str, before: str, here: Span) -> Told:
    """Of a line or a token that fits nothing above it."""
    found = problem.rpartition("found ")[2].strip("'")
    if found in ("}", "]"):
        return Told(f"`{found}` closes nothing", "leave it out", here)
    if found in ("-", "?"):
        hint = "a list stands under the key that it belongs to"
        return Told("a list and keys side by side", hint, here)
    if before.strip():
        return Told("something stands behind a closed quote or bracket", TEXT, here)
    return Told("this line is indented like none above it", COLUMN, here)
