"""X308: alpha(t) falls from 1 to 0, `dalpha` is its derivative and `inverse` its inverse.

alpha(t) is the probability that a token has survived until t. Where it rises, tokens would come
back while text is being corrupted: the rate of the reverse process, -alpha'(t) / (1 - alpha(t)),
which is the weight of the bound, would be negative. The components that ship obey for all numbers
within their ranges; a schedule of one's own is looked at on a grid, as far as its formulas can be
worked out from its text.
"""

import ast
import math
from collections.abc import Iterator

from xlm_spec.compiler.components import values
from xlm_spec.compiler.method import Method
from xlm_spec.compiler.rules.finding import Finding
from xlm_spec.compiler.rules.formula import Formula, Unknown
from xlm_spec.compiler.spec import Choice

GRID = [i / 64 for i in range(65)]
STEP = 1e-5  # of the difference quotient
NEAR = 1e-4  # relative, for what is compared


CODE = "X308"


def found(method: Method) -> Iterator[Finding]:
    schedule = method.schedule
    if schedule and schedule.value not in values(schedule.axis.folder):
        yield from (Finding(schedule, *told) for told in breaches(schedule))


def breaches(schedule: Choice) -> Iterator[tuple[str, str]]:
    """What is wrong, and the numbers that show it."""
    component = schedule.component
    numbers = {p.name: schedule.given.get(p.name, p.default) for p in component.parameters}
    class_ = component.definitions[component.object].node
    assert isinstance(class_, ast.ClassDef)
    f = Formula(class_, {k: float(v) for k, v in numbers.items() if isinstance(v, int | float)})
    try:
        alpha = [f("alpha", t) for t in GRID]
    except Unknown:
        return
    except (ArithmeticError, ValueError, TypeError) as e:
        yield "alpha(t) has no value everywhere on [0, 1]", str(e)
        return
    yield from falling(alpha)
    yield from derivative(f)
    yield from inverse(f, alpha)


def falling(alpha: list[float]) -> Iterator[tuple[str, str]]:
    if abs(alpha[0] - 1) > NEAR:
        yield "alpha(0) is not 1: text at t = 0 would be corrupted already", f"it is {alpha[0]:.4g}"
    for t, s, low, high in zip(GRID[1:], GRID, alpha[1:], alpha, strict=False):
        if low > high + 1e-9:
            told = f"alpha({s:.3g}) = {high:.4g}, alpha({t:.3g}) = {low:.4g}"
            yield "alpha(t) rises: tokens would come back while text is corrupted", told
            return
    if not -1e-9 <= min(alpha) <= max(alpha) <= 1 + NEAR:
        told = f"from {min(alpha):.4g} to {max(alpha):.4g}"
        yield "alpha(t) leaves [0, 1]: it is a probability", told


def derivative(f: Formula) -> Iterator[tuple[str, str]]:
    for t in GRID[1:-1]:
        try:
            stated = f("dalpha", t)
            found = (f("alpha", t + STEP) - f("alpha", t - STEP)) / (2 * STEP)
        except (Unknown, ArithmeticError, ValueError, TypeError):
            return
        if not math.isclose(stated, found, rel_tol=1e-2, abs_tol=1e-3):
            told = f"at t = {t:.3g} it says {stated:.4g}, and alpha changes by {found:.4g}"
            yield "`dalpha` is not the derivative of `alpha`, so the weight is wrong", told
            return


def inverse(f: Formula, alpha: list[float]) -> Iterator[tuple[str, str]]:
    for t, a in zip(GRID[1:-1], alpha[1:-1], strict=False):
        try:
            again = f("alpha", f("inverse", a))
        except (Unknown, ArithmeticError, ValueError, TypeError):
            return
        if abs(again - a) > 1e-3:
            told = f"alpha({t:.3g}) = {a:.4g}, and alpha(inverse({a:.4g})) = {again:.4g}"
            yield "`inverse` is not the inverse of `alpha`", told
            return
