"""X352: the terms of one bound have inconsistent weights.

The sum of the ELBO terms is the negative ELBO only if each loss has the ELBO weight of its target.
If only some of them have it, the sum is neither the published loss nor the bound.
"""

from collections.abc import Iterator

from xlm_spec.compiler import axes
from xlm_spec.compiler.components import Component
from xlm_spec.compiler.declarations import ELBO_ALONE
from xlm_spec.compiler.middle.likelihood import (
    has_elbo_weight,
    in_elbo,
    likelihood_weight,
)
from xlm_spec.compiler.middle.method import Method, Term
from xlm_spec.compiler.middle.rules.finding import Finding

CODE = "X352"


def found(method: Method) -> Iterator[Finding]:
    process = method.spec.process.component
    terms = [t for t in method.terms if in_elbo(t.loss.component)]
    elbo = [elbo_weight(process, t) for t in terms]
    is_elbo = [has_elbo_weight(process, t.loss, t.asked.value) for t in terms]
    if not all(elbo) or not any(is_elbo) or all(is_elbo):
        return
    for term, weight, correct in zip(terms, elbo, is_elbo, strict=True):
        if not correct:
            name = term.loss.name
            message = f"loss `{name}` does not have its ELBO weight, but another loss does"
            hint = f"write `weight: {weight}`, or give all losses the same weight"
            yield Finding(term.loss, message, hint)


def elbo_weight(process: Component, term: Term) -> str:
    """The weight, as written in a spec, that makes a term one of the bound; "" if it has none."""
    if ELBO_ALONE.of(term.loss.component):
        return axes.WEIGHT.default
    found = likelihood_weight(process, term.asked.value)
    return found.value if found else ""
