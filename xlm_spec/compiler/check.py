"""Across the axes: do the pieces fit (X2xx), does the mathematics hold (X3xx)?"""

from xlm_spec.compiler.clash import clashes
from xlm_spec.compiler.compose import compose
from xlm_spec.compiler.spec import Spec
from xlm_spec.diagnostics import Failed


def check(spec: Spec) -> None:
    """Raises Failed with every misfit, in order of place."""
    method = compose(spec)
    problems = method.problems or [*clashes(method)]
    found = {(d.span, d.message): d for d in problems}
    if found:
        raise Failed(sorted(found.values(), key=lambda d: d.order))
