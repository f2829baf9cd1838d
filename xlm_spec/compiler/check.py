"""Across the axes: do the pieces fit (X2xx), does the mathematics hold (X3xx)?"""

from xlm_spec.compiler.compose import compose
from xlm_spec.compiler.own.clash import clashes
from xlm_spec.compiler.rules import OF_ITS_PIECES, OF_THE_SPEC, findings
from xlm_spec.compiler.spec import Spec
from xlm_spec.diagnostics import Diagnostic, Failed


def check(spec: Spec) -> list[Diagnostic]:
    """Warnings, in order of place. Raises Failed with every misfit."""
    method = compose(spec)
    found = [*method.problems, *findings(method, OF_THE_SPEC)]
    found = found or [*clashes(method), *findings(method, OF_ITS_PIECES)]
    told = sorted({(d.span, d.message): d for d in found}.values(), key=lambda d: d.order)
    if any(d.severity == "error" for d in told):
        raise Failed(d for d in told if d.severity == "error")
    return told
