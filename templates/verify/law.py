"""What a law is, and what comes of it for a method.

A law measures how far a method is from it, and, beside it, how far something wrong is: the control.
It holds where the measure is within its bound; it says something where the control is not.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from math import isfinite

from .method import Method

ALARM = 6.0  # -log10 of the false-alarm rate of a statistical law


@dataclass(frozen=True)
class Figure:
    """How far off, how far is allowed, and how far off the control is."""

    value: float
    most: float
    control: float
    of: str = ""  # a sampler, a rule

    @property
    def held(self) -> bool:
        return self.value <= self.most  # not where it is no number

    @property
    def telling(self) -> bool:
        """Would it have been noticed?"""
        return not self.control <= self.most


@dataclass(frozen=True)
class Law:
    """`applies` says why it does not, or nothing. A law that `warns` may be broken on purpose."""

    name: str
    applies: Callable[[Method], str]
    measure: Callable[[Method], Iterable[Figure]]
    warns: bool = False


LAWS: list[Law] = []


def law(name: str, applies: Callable[[Method], str] = lambda m: "", warns: bool = False):
    """Adds a law; the function yields its figures."""

    def add(measure: Callable[[Method], Iterable[Figure]]):
        LAWS.append(Law(name, applies, measure, warns))
        return measure

    return add


@dataclass(frozen=True)
class Result:
    """`status`: held, failed, warned, silent (its control held too), or not applicable."""

    law: str
    status: str
    figure: Figure | None = None
    why: str = ""

    def line(self) -> str:
        if self.figure is None:
            return f"{self.status:8}  {self.law}: {self.why}"
        f = self.figure
        of = f" ({f.of})" if f.of else ""
        off = f"{f.value:.2g} {'<=' if f.held else '>'} {f.most:.2g}"
        return f"{self.status:8}  {self.law}{of}: {off}, control {f.control:.2g}"

    def as_json(self) -> dict:
        f = self.figure
        found = {"law": self.law, "status": self.status, "of": f.of if f else "", "why": self.why}
        numbers = ("value", "most", "control")
        return found | {n: finite(getattr(f, n)) if f else None for n in numbers}


def finite(x: float) -> float | None:
    return x if isfinite(x) else None


def judged(m: Method, law: Law) -> list[Result]:
    """What comes of a law for a method."""
    why = law.applies(m)
    if why:
        return [Result(law.name, "n/a", None, why)]
    found = [Result(law.name, status(law, f), f) for f in law.measure(m)]
    return found or [Result(law.name, "n/a", None, "none of its parts is known here")]


def status(law: Law, f: Figure) -> str:
    if not f.held:
        return "warned" if law.warns else "failed"
    return "held" if f.telling else "silent"


def verify(m: Method, laws: Iterable[Law] | None = None) -> Iterable[Result]:
    """Every law, in order; an exception in a package's code is a law that failed."""
    for each in LAWS if laws is None else laws:
        try:
            yield from judged(m, each)
        except (Exception, SystemExit) as e:
            why = " ".join(f"{type(e).__name__}: {e}".split())
            yield Result(each.name, "failed", None, why)


def needs(*wanted: Callable[[Method], str]) -> Callable[[Method], str]:
    """The first reason of several not to apply."""
    return lambda m: next((why for w in wanted if (why := w(m))), "")


def when(fact: Callable[[Method], bool], otherwise: str) -> Callable[[Method], str]:
    return partial(lambda m, f, o: "" if f(m) else o, f=fact, o=otherwise)
