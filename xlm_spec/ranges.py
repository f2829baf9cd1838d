"""Ranges, as comments state them: `steps: int = 128,  # of equal length; in [1, inf)`.

The comment behind a number is its meaning and its range: in components, in the runtime's settings,
in a package's config.py. Compiler and runtime read it there.
"""

import dataclasses
import inspect
import math
import re
from dataclasses import dataclass
from functools import cache

STATED = re.compile(r"; in ([\[(])(\S+), (\S+)([\])])$")
FIELD = re.compile(r"(?:^ +# (?P<above>.*)\n)?^ +(?P<name>\w+): .*?(?:  # (?P<behind>.*))?$", re.M)


@dataclass(frozen=True)
class Range:
    """An interval; `with_low` and `with_high` tell whether its ends belong to it."""

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
    """Meaning and range of a comment."""
    found = STATED.search(comment)
    if not found:
        return comment, None
    left, low, high, right = found.groups()
    return comment[: found.start()], Range(float(low), float(high), left == "[", right == "]")


@cache
def of_fields(kind: type) -> dict[str, Range]:
    """The ranges of a dataclass' fields, from the comments in its source."""
    stated = {}
    for found in FIELD.finditer(inspect.getsource(kind)):
        comment = found["behind"] or found["above"] or ""
        stated[found["name"]] = split(comment)[1]
    names = {f.name for f in dataclasses.fields(kind)}
    return {n: r for n, r in stated.items() if r and n in names and math.isfinite(r.low)}
