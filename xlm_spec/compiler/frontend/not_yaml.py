"""Messages for invalid YAML: what is wrong, where, and how to fix it.

The messages of the parser name its tokens, often far after the mistake.
"""

import re
from dataclasses import dataclass

from ruamel.yaml.error import MarkedYAMLError, StringMark

from xlm_spec.diagnostics import Span

COLUMN = "indent all keys of a mapping equally, and the keys inside of it more"
TEXT = "put the whole string in quotes"
COLON = "write a colon and a space after a key: `name: method`"


@dataclass(frozen=True)
class Problem:
    """A message, a hint and the location."""

    message: str
    hint: str = ""
    span: Span | None = None


def explain(error: MarkedYAMLError, text: str) -> Problem:
    """The message for an error of the parser."""
    problem, lines = str(error.problem or error.context), text.splitlines()
    mark: StringMark | None = error.problem_mark or error.context_mark
    if mark is None:
        return Problem(problem)
    line = lines[mark.line] if mark.line < len(lines) else ""
    before, here = line[: mark.column], at(mark.line, mark.column)
    opened: StringMark | None = error.context_mark
    if opened and "quoted scalar" in str(error.context):
        escape = "escape" in problem
        message = "unknown escape sequence" if escape else "unclosed quote"
        hint = "write \\\\ for a backslash, or use single quotes"
        hint = hint if escape else "add the closing quote on the same line"
        return Problem(message, hint, here if escape else at(opened.line, opened.column))
    if opened and (found := re.search(r"expected ',' or '(.)'", problem)):
        return not_closed(found[1], opened, mark.line, before, "stream end" in problem)
    if "mapping values" in problem:
        return second_colon(lines, mark.line, before)
    if "\\t" in problem:
        return Problem("tabs are not allowed for indentation", "indent with spaces", here)
    if found := re.search(r"found character '(.)'", problem):
        message = f"a string without quotes cannot start with {found[1]}"
        return Problem(message, TEXT, here)
    if found := re.search(r"undefined alias '(.*)'", problem):
        message = f"unknown alias `*{found[1]}`"
        hint = "write the value itself, or put a string that starts with * in quotes"
        return Problem(message, hint, at(mark.line, mark.column, len(found[1]) + 1))
    if "sequence entries" in problem:
        hint = "write `[a, b]`, or each item on its own line"
        return Problem("a list cannot start here", hint, here)
    if "expected <block end>" in problem:
        return misplaced(problem, before, here)
    if "could not find expected ':'" in problem and opened:
        whole = lines[opened.line].strip() if opened.line < len(lines) else ""
        span = at(opened.line, opened.column, len(whole))
        return Problem("no `: ` after the key", COLON, span)
    return Problem(problem, "", here)


def at(line: int, column: int, width: int = 1) -> Span:
    return Span(line, column, line, column + width)


def not_closed(close: str, opened: StringMark, line: int, before: str, at_end: bool) -> Problem:
    """The message for a bracket without an end, or with a missing comma between two entries."""
    bracket = "{" if close == "}" else "["
    if at_end or opened.line != line:
        message = f"`{bracket}` is not closed, or a comma between two entries is missing"
        hint = f"write `{close}` after the last entry"
        return Problem(message, hint, at(opened.line, opened.column))
    word = re.search(r"\S*\s*$", before)
    start = word.start() if word else len(before)
    if before[start:].startswith("$"):
        return Problem("a spec cannot contain variables", "write the value", at(line, start))
    hint = f"write a comma or `{close}` before it"
    width = max(1, len(before[start:].rstrip()))
    return Problem("missing comma before this entry", hint, at(line, start, width))


def second_colon(lines: list[str], line: int, before: str) -> Problem:
    """The message for a colon where no key is allowed."""
    here = at(line, len(before))
    if re.search(r":\s", before):
        key, _, value = before.strip("- ").partition(": ")
        rest = lines[line][len(before) :].partition(" #")[0].rstrip()
        inner = f"{{{value}{rest}}}" if re.fullmatch(r"[a-z0-9_]+", value) else f'"{value}{rest}"'
        hint = f"write `{key}: {inner}`" if rest.strip(": ") else TEXT
        return Problem("second `: ` in one entry", hint, here)
    above = next((i for i in range(line - 1, -1, -1) if lines[i].split("#")[0].strip()), None)
    if above is not None and not re.search(r":(\s|$)", lines[above]):
        text = lines[above].strip()
        start = len(lines[above]) - len(lines[above].lstrip())
        return Problem("no `: ` after the key", COLON, at(above, start, len(text)))
    start = len(before) - len(before.lstrip())
    message = "this key is indented, but the key above already has a value"
    return Problem(message, COLUMN, at(line, start, len(before.strip())))


def misplaced(problem: str, before: str, here: Span) -> Problem:
    """The message for a line or a token that does not fit what is above."""
    found = problem.rpartition("found ")[2].strip("'")
    if found in ("}", "]"):
        return Problem(f"`{found}` has no opening bracket", "remove it", here)
    if found in ("-", "?"):
        hint = "indent the list under its key"
        return Problem("a mapping cannot contain both keys and list items", hint, here)
    if before.strip():
        return Problem("unexpected text after a closing quote or bracket", TEXT, here)
    return Problem("the indentation of this line matches no line above", COLUMN, here)
