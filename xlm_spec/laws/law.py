"""What a law is, and its results for a method.

A law measures the deviation of a method from it, and the deviation of something wrong, the negative
control. It holds if the deviation is within the tolerance; the test is meaningful if that of the
control is not.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from math import isfinite

from .faults import arises_in_package, missing_method, place_of
from .law_files import NoLaw, Unverified
from .method import Method

NOT_TESTED = "not tested, as "  # the reason for a law after one that failed
HAS_LAW_FILE = "every component has a law file"
ALARM = 6.0  # -log10 of the false-alarm rate of a statistical law


@dataclass(frozen=True)
class Figure:
    """A deviation, its tolerance, and the deviation of the negative control."""

    value: float
    most: float
    control: float
    of: str = ""  # a sampler, a rule
    detail: str = ""  # what is wrong, in words, if the law does not hold
    intended: bool = False  # can a violation be intended, as a law file or the method says?

    @property
    def held(self) -> bool:
        return self.value <= self.most  # False for NaN

    @property
    def control_detected(self) -> bool:
        """Is the negative control outside the tolerance?"""
        return not self.control <= self.most


@dataclass(frozen=True)
class Law:
    """`applies` returns why the law is not applicable, or "". Violating a law that `warns` can be
    intended. `claim` is the claim of a package (see claims.py) that the law refutes if it fails,
    and, with `proof`, proves if it holds. `basic`: if it fails, `verify` tests no later law, as
    their results mean nothing."""

    name: str
    applies: Callable[[Method], str]
    measure: Callable[[Method], Iterable[Figure]]
    warns: bool = False
    claim: str = ""
    proof: bool = True
    basic: bool = False


LAWS: list[Law] = []


def law(
    name: str,
    applies: Callable[[Method], str] = lambda m: "",
    warns: bool = False,
    claim: str = "",
    proof: bool = True,
    basic: bool = False,
):
    """Adds a law; the function yields its figures."""

    def add(measure: Callable[[Method], Iterable[Figure]]):
        LAWS.append(Law(name, applies, measure, warns, claim, proof, basic))
        return measure

    return add


@dataclass(frozen=True)
class Result:
    """`status`: held, failed, warned, silent (the control held too), unverified, error or n/a.

    `unverified`: the law is applicable, but a component has no law file to test it with. `error`:
    the code of the law raised an exception; this says nothing about the method.
    """

    law: str
    status: str
    figure: Figure | None = None
    why: str = ""

    @property
    def broken(self) -> bool:
        """Is the law violated, or its test meaningless?"""
        return self.status in ("failed", "silent")

    def line(self) -> str:
        if self.law == HAS_LAW_FILE and not self.broken:
            return self.why
        if self.figure is None:
            return f"{self.status:8}  {self.law}: {self.why}"
        f = self.figure
        of = f" ({f.of})" if f.of else ""
        deviation = f"{f.value:.2g} {'<=' if f.held else '>'} {f.most:.2g}"
        detail = "" if f.held or not f.detail else f" ({f.detail})"
        return f"{self.status:8}  {self.law}{of}: {deviation}, control {f.control:.2g}{detail}"

    def as_json(self) -> dict:
        f = self.figure
        out = {"law": self.law, "status": self.status, "of": f.of if f else "", "why": self.why}
        numbers = ("value", "most", "control")
        return out | {n: finite(getattr(f, n)) if f else None for n in numbers}


def finite(x: float) -> float | None:
    return x if isfinite(x) else None


def check_law(m: Method, law: Law) -> list[Result]:
    """The results of a law for a method. Exceptions of the package's code are not caught."""
    try:
        return results_of(m, law)
    except Unverified as e:
        return [Result(law.name, "unverified", None, str(e))]
    except Exception as e:
        if lacks_teacher(e):
            return [Result(law.name, "unverified", None, "a loss reads a trained `model.teacher`")]
        if method := missing_method(e, m):
            why = f"the package's model has a method `{method}`, those of the laws have none"
            return [Result(law.name, "unverified", None, why)]
        if arises_in_package(e, m):
            raise
        why = f"the law could not be evaluated: {message_of(e)}"
        return [Result(law.name, "error", None, why)]


def lacks_teacher(e: Exception) -> bool:
    """Did a loss read `model.teacher`, which only a run has?"""
    return isinstance(e, AttributeError) and "'teacher'" in str(e)


def results_of(m: Method, law: Law) -> list[Result]:
    why = law.applies(m)
    if why:
        return [Result(law.name, "unverified" if isinstance(why, NoLaw) else "n/a", None, why)]
    results = [Result(law.name, status(law, f), f) for f in law.measure(m)]
    return results or [Result(law.name, "n/a", None, "no component with a known law")]


def status(law: Law, f: Figure) -> str:
    if not f.held:
        return "warned" if law.warns or f.intended else "failed"
    return "held" if f.control_detected else "silent"


def verify(m: Method, laws: Iterable[Law] | None = None) -> Iterable[Result]:
    """The results of every law, in order; a law fails if the code of the package raises, and is an
    error if its own code does.

    Without `laws`, the components without a law file come first. After a basic law that fails the
    others are unverified, and so is a law in which the same line raises as in one before.
    """
    if laws is None:
        yield from missing_law_files(m)
    meaningless, raised = "", set[str]()
    for each in LAWS if laws is None else laws:
        if meaningless:
            yield Result(each.name, "unverified", None, meaningless)
            continue
        try:
            results = check_law(m, each)
        except (Exception, SystemExit) as e:
            place = place_of(e, m)
            why = f"{message_of(e)} ({place})" if place else message_of(e)
            results = [Result(each.name, "failed", None, why)]
            if place in raised:
                results = [Result(each.name, "unverified", None, f"{NOT_TESTED}{place} raises")]
            raised |= {place} if place else set()
        yield from results
        if each.basic and any(r.figure and r.broken for r in results):
            meaningless = f'{NOT_TESTED}"{each.name}" failed'


def missing_law_files(m: Method) -> Iterable[Result]:
    """A result for each component without a law, or with a law file that can't be imported."""
    try:
        yield from [Result(HAS_LAW_FILE, "unverified", None, why) for why in m.without_law()]
    except (Exception, SystemExit) as e:
        why = f"a law file can't be imported: {message_of(e)}"
        yield Result(HAS_LAW_FILE, "failed", None, why)


def message_of(e: BaseException) -> str:
    return " ".join(f"{type(e).__name__}: {e}".split())


def needs(*conditions: Callable[[Method], str]) -> Callable[[Method], str]:
    """The first of several reasons why a law is not applicable."""
    return lambda m: next((why for c in conditions if (why := c(m))), "")


def when(condition: Callable[[Method], bool], otherwise: str) -> Callable[[Method], str]:
    """`otherwise` is the reason if the condition does not hold."""
    return partial(lambda m, f, o: "" if f(m) else o, f=condition, o=otherwise)
