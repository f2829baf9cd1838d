"""The page of a diagnostic's code: what it means, why it matters, how to fix it.

A page is one file, `xlm_spec/pages/<code>.md`. Its first line is `# <code>: <title>`.
"""

from collections.abc import Sequence
from functools import cache

from xlm_spec.compiler.components import HERE
from xlm_spec.diagnostics import Diagnostic, Failed

PAGES = HERE / "pages"
NEAREST = 3  # number of codes that the hint for an unknown code names


@cache
def pages() -> dict[str, str]:
    """Every code, in order, with its page."""
    return {p.stem: p.read_text(encoding="utf-8") for p in sorted(PAGES.glob("*.md"))}


def title(code: str) -> str:
    """The title of a code's page."""
    first, _, _ = pages()[code].partition("\n")
    return first.removeprefix(f"# {code}: ")


def explain(words: Sequence[str]) -> str:
    """The pages of these codes, or the list of all codes. Raises Failed (X105)."""
    if not words:
        return "".join(f"{code}  {title(code)}\n" for code in pages())
    return "\n".join(pages()[code_of(word)] for word in words)


def code_of(word: str) -> str:
    """The code of a word: `X102`, `x102` and `102` are the same. Raises Failed (X105)."""
    number = word.upper().removeprefix("X")
    if f"X{number}" not in pages():
        raise Failed(Diagnostic("X105", f"unknown code `{word}`", hint(number)))
    return f"X{number}"


def hint(number: str) -> str:
    """The codes nearest to a number, and the command that lists all codes."""
    every = "`xlm-spec explain` lists all codes"
    if not (number.isdecimal() and len(number) == 3):
        return every
    near = sorted(pages(), key=lambda code: abs(int(code[1:]) - int(number)))[:NEAREST]
    return f"nearest: {', '.join(f'{code} ({title(code)})' for code in sorted(near))}; {every}"
