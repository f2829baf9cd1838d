"""X356: the losses of a bound score each random choice of the process once.

An insertion is a choice of its time, its gap and its token. A loss that scores the token alone, or
that scores each number of missing tokens once, is a term of a bound only beside losses that score
the rest. Without them the sum is no bound of log p(x), and is not reported.
"""

from collections.abc import Iterator

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import components_of
from xlm_spec.compiler.declarations import ELBO_BESIDE
from xlm_spec.compiler.middle.likelihood import (
    claimed_apart,
    elbo_term,
    is_partial,
    likelihood_terms,
)
from xlm_spec.compiler.middle.method import Method
from xlm_spec.compiler.middle.rules.finding import Finding

CODE = "X356"


def found(method: Method) -> Iterator[Finding]:
    if claimed_apart(method) in ("none", "exact"):
        return
    for term in likelihood_terms(method):
        if is_partial(method, term):
            loss = elbo_term(term.loss.component)
            beside = " or ".join(f"`{t}`" for t in ELBO_BESIDE.of(loss))
            message = f"loss `{loss.value}` is a term of a bound only beside a loss on target"
            message = f"{message} {beside}: no bound of log p(x) is reported"
            given = {t.asked.value for t in likelihood_terms(method)}
            other = fitting(given, term.asked.component.main.returns)
            hint = f"write loss {other}" if other else f"add target {beside}"
            yield Finding(term.loss, message, hint)


def fitting(targets: set[str], kind: str) -> str:
    """The losses on a type of target that are terms beside these targets, for a hint."""
    shipped = components_of(axes.LOSS).values()
    same = [c for c in shipped if c.main.wires["target"] == kind]
    names = [f"`{c.value}`" for c in same if targets & {*ELBO_BESIDE.of(c)}]
    return " or ".join(names)
