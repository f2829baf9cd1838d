"""Valid ranges, stated in comments: `steps: int = 128,  # of equal length; in [1, inf)`.

The comment behind a number states its meaning and its range: in components, in the runtime's
settings, in a package's config.py. The compiler and the runtime read it there.
"""

import dataclasses
import inspect
import math
import re
from dataclasses import dataclass
from functools import cache

STATED = re.compile(r"; in ([\[(])(\S+), (\S+)([\])])$")
ACCEPTED = "`meaning; in [0, 1)`: [ ] include a bound, ( ) exclude it, inf has none"
NUMBER = r"[-+]?(?:\d[\d_]*(?:\.\d*)?(?:e[-+]?\d+)?|\.\d+|inf(?:inity)?|∞)"
COMPARED = r"(?:<=?|>=?|≤|≥)"
ALIKE = (  # what a person means as a range, but for `; in [0, 1)` itself
    # in [0, 1   in (0; 1)   in ]0, 1]   in {0, 1}   in [0,1]   in [0, 1]; more words
    rf"\bin\s*[\[\]({{]\s*{NUMBER}\s*(?:(?:[,;:]|\.\.+|…|-|\bto\b)\s*(?:{NUMBER}|$)|$)",
    # in [one, 2)   in (a, b]: no pair of brackets but that of a range
    r"\bin\s*(?:\[[^][(),]+,[^][(),]+\)|\([^][(),]+,[^][(),]+\])",
    r"; in [\[(]\S+, \S+[\])]$",  # in [one, two]
    rf"\bin\s+{NUMBER}\s*(?:\.\.+|…)\s*{NUMBER}",  # in 0..1
    rf"\bin\s+{NUMBER}\s*(?:,|-|–|\bto\b)\s*{NUMBER}\s*$",  # in 0 to 1
    rf"(?:^|[;,] ){NUMBER}\s*(?:\.\.+|…)\s*{NUMBER}\s*$",  # 0..1
    rf"(?:^|; )[\[\](]\s*{NUMBER}\s*[,;]\s*{NUMBER}\s*[\])\[]\s*$",  # [0, 1]
    rf"(?:^|[;,] )(?:must be )?{COMPARED}\s*[\w.+-]*\s*$",  # >= x
    # p > 0   0 < p   0 < p <= 1   0 < p <=
    rf"(?:^|[;,] )(?:\w+\s*{COMPARED}\s*{NUMBER}|{NUMBER}\s*{COMPARED}\s*\w+)\s*$",
    rf"(?:^|[;,] ){NUMBER}\s*{COMPARED}\s*\w+\s*{COMPARED}\s*(?:{NUMBER})?\s*$",
)
CITED = (  # as in [12, 13]   see (3) in [4, 5]
    r"\b(?:as|see|cf|eq|lemma|theorem|section|table|figure|appendix)\b[^;,]{0,6}"
    r"\bin [\[(][^])]{0,40}[])]"
)
FIELD = re.compile(r"(?:^ +# (?P<above>.*)\n)?^ +(?P<name>\w+): .*?(?:  # (?P<behind>.*))?$", re.M)


@dataclass(frozen=True)
class Range:
    """An interval; `with_low` and `with_high`: do its ends belong to it?"""

    low: float
    high: float
    with_low: bool
    with_high: bool

    def __contains__(self, x: object) -> bool:
        assert isinstance(x, int | float)
        above = x >= self.low if self.with_low else x > self.low
        return above and (x <= self.high if self.with_high else x < self.high)

    def __str__(self) -> str:
        left, right = "[" if self.with_low else "(", "]" if self.with_high else ")"
        return f"{left}{self.low:g}, {self.high:g}{right}"


def split(comment: str) -> tuple[str, Range | None]:
    """The meaning and the range that a comment states."""
    found = STATED.search(comment)
    if not found:
        return comment, None
    left, low, high, right = found.groups()
    return comment[: found.start()], Range(float(low), float(high), left == "[", right == "]")


def fault(comment: str) -> str:
    """What is wrong with a comment that looks like a range; "" where it is one, or is no such."""
    found = STATED.search(comment)
    if found is None:
        told = re.sub(CITED, "", " ".join(comment.split()), flags=re.I)
        alike = any(re.search(p, told, re.I) for p in ALIKE)
        return "the comment looks like a range, but does not end in one" * alike
    try:
        low, high = (float(end) for end in found.groups()[1:3])
    except ValueError:
        return "a range has two numbers"
    return "" if low < high else "the first number of a range must be the lower one"


@cache
def of_fields(kind: type) -> dict[str, Range]:
    """The ranges of the fields of a dataclass, from the comments in its source."""
    stated = {}
    for found in FIELD.finditer(inspect.getsource(kind)):
        comment = found["behind"] or found["above"] or ""
        stated[found["name"]] = split(comment)[1]
    names = {f.name for f in dataclasses.fields(kind)}
    return {n: r for n, r in stated.items() if r and n in names and math.isfinite(r.low)}
