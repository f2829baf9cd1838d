"""The page of a diagnostic's code: what it says, why it matters, how it is mended.

A page is one file, `xlm_spec/pages/<code>.md`. Its first line is `# <code>: <title>`.
"""

from collections.abc import Sequence
from functools import cache

from xlm_spec.compiler.components import HERE
from xlm_spec.diagnostics import Diagnostic, Failed

PAGES = HERE / "pages"
NEAREST = 3  # codes that are named where there is no such code


@cache
def pages() -> dict[str, str]:
    """Every code, in order, and its page."""
    return {p.stem: p.read_text(encoding="utf-8") for p in sorted(PAGES.glob("*.md"))}


def title(code: str) -> str:
    """What a code means, in a few words."""
    first, _, _ = pages()[code].partition("\n")
    return first.removeprefix(f"# {code}: ")


def explain(words: Sequence[str]) -> str:
    """The pages of these codes; of none, what codes there are. Raises Failed (X105)."""
    if not words:
        return "".join(f"{code}  {title(code)}\n" for code in pages())
    return "\n".join(pages()[code_of(word)] for word in words)


def code_of(word: str) -> str:
    """The code that is meant: `X102`, `x102` and `102` are the same. Raises Failed (X105)."""
    number = word.upper().removeprefix("X")
    if f"X{number}" not in pages():
        raise Failed(Diagnostic("X105", f"no diagnostic has the code `{word}`", hint(number)))
    return f"X{number}"


def hint(number: str) -> str:
    """The codes that are nearest to a number, and where all are listed."""
    every = "`xlm-spec explain` lists them all"
    if not (number.isdecimal() and len(number) == 3):
        return every
    near = sorted(pages(), key=lambda code: abs(int(code[1:]) - int(number)))[:NEAREST]
    return f"nearest: {', '.join(f'{code} ({title(code)})' for code in sorted(near))}; {every}"
