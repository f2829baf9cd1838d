"""X352: terms of one bound, weighed in different ways.

Where every loss belongs to the bound, their sum is one, and has one minimiser, only if each has
the weight that its target has there. With the right weight on one of them alone the sum is neither
the published loss nor the bound.
"""

from collections.abc import Iterator

from xlm_spec.compiler.method import Method, likelihood_weight
from xlm_spec.compiler.rules.finding import Finding

CODE = "X352"


def found(method: Method) -> Iterator[Finding]:
    process = method.spec.process.component
    right = []
    for term in method.terms:
        own, wanted = term.loss.weight, likelihood_weight(process, term.asked.value)
        if wanted is None or own is None:
            return
        right.append(own.value == wanted.value)
    if any(right) and not all(right):
        for term, fits in zip(method.terms, right, strict=True):
            wanted = likelihood_weight(process, term.asked.value)
            if not fits and wanted:
                told = f"`{term.loss.value}` is weighed otherwise than the other terms of the bound"
                yield Finding(term.loss, told, f"`weight: {wanted.value}`, or the same for all")
