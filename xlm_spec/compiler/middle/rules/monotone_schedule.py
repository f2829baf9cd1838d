"""X308: alpha(t) decreases from 1, with the derivative `dalpha` and the inverse `inverse`.

alpha(t) is the probability that a token is not corrupted at time t. If it increased, tokens would
be restored by the noise, and the rate of the reverse process, -alpha'(t) / (1 - alpha(t)), which is
the weight of the bound, would be negative. Shipped schedules satisfy this for all parameters in
their ranges. A custom schedule is checked on a grid, if its formulas can be evaluated from its
source; alpha(1) = 0 is checked where it declares this.
"""

import ast
import math
from collections.abc import Iterator

from xlm_spec.compiler.components import values
from xlm_spec.compiler.declarations import PRIOR_AT
from xlm_spec.compiler.middle.likelihood import ends_in_prior
from xlm_spec.compiler.middle.method import Method
from xlm_spec.compiler.middle.rules.finding import Finding
from xlm_spec.compiler.middle.rules.formula import Formula, Unknown
from xlm_spec.compiler.middle.spec import Choice

GRID = [i / 64 for i in range(65)]
STEP = 1e-5  # of the difference quotient
END = 1e-6  # the tolerance of alpha(0) and alpha(1), as in the laws
TOLERANCE = 1e-4


CODE = "X308"


def found(method: Method) -> Iterator[Finding]:
    for schedule in method.schedules:
        if schedule.value not in values(schedule.axis.folder):
            yield from (Finding(schedule, *texts) for texts in breaches(schedule))


def breaches(schedule: Choice) -> Iterator[tuple[str, str]]:
    """Messages, each with the numbers that show the error."""
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
        yield "alpha(t) is undefined somewhere on [0, 1]", str(e)
        return
    yield from decreasing(alpha)
    if ends_in_prior(schedule) and alpha[-1] > END:
        declared = PRIOR_AT.written(component)
        message = f"`{declared}` declares that alpha(1) = 0 with these parameters"
        hint = "list the parameter values with alpha(1) = 0, or remove the declaration"
        yield message, f"alpha(1) = {alpha[-1]:.4g}; {hint}"
    yield from derivative(f)
    yield from inverse(f, alpha)


def decreasing(alpha: list[float]) -> Iterator[tuple[str, str]]:
    if abs(alpha[0] - 1) > END:
        yield "alpha(0) must be 1: no token is corrupted at t = 0", f"alpha(0) = {alpha[0]:.4g}"
    for t, s, low, high in zip(GRID[1:], GRID, alpha[1:], alpha, strict=False):
        if low > high + 1e-9:
            numbers = f"alpha({s:.3g}) = {high:.4g}, alpha({t:.3g}) = {low:.4g}"
            yield "alpha(t) must not increase: a corrupted token stays corrupted", numbers
            return
    if not -1e-9 <= min(alpha) <= max(alpha) <= 1 + TOLERANCE:
        numbers = f"alpha(t) ranges from {min(alpha):.4g} to {max(alpha):.4g}"
        yield "alpha(t) must be a probability, in [0, 1]", numbers


def derivative(f: Formula) -> Iterator[tuple[str, str]]:
    for t in GRID[1:-1]:
        try:
            stated = f("dalpha", t)
            found = (f("alpha", t + STEP) - f("alpha", t - STEP)) / (2 * STEP)
        except (Unknown, ArithmeticError, ValueError, TypeError):
            return
        if not math.isclose(stated, found, rel_tol=1e-2, abs_tol=1e-3):
            numbers = f"at t = {t:.3g} `dalpha` is {stated:.4g}, but the derivative is {found:.4g}"
            yield "`dalpha` is not the derivative of `alpha`, so the weight is wrong", numbers
            return


def inverse(f: Formula, alpha: list[float]) -> Iterator[tuple[str, str]]:
    for t, a in zip(GRID[1:-1], alpha[1:-1], strict=False):
        try:
            again = f("alpha", f("inverse", a))
        except (Unknown, ArithmeticError, ValueError, TypeError):
            return
        if abs(again - a) > 1e-3:
            numbers = f"alpha({t:.3g}) = {a:.4g}, but alpha(inverse({a:.4g})) = {again:.4g}"
            yield "`inverse` is not the inverse of `alpha`", numbers
            return
