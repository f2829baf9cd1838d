"""Checks a method: do its components fit together (X2xx), is its mathematics correct (X3xx)?"""

from xlm_spec.compiler.frontend.custom.name_collisions import collisions, unknown_length
from xlm_spec.compiler.middle.method import Method
from xlm_spec.compiler.middle.rules import RULES_OF_METHOD, RULES_OF_SPEC, findings
from xlm_spec.diagnostics import Diagnostic, Failed


def check(method: Method) -> list[Diagnostic]:
    """The warnings, in the order of the spec. Raises Failed with all errors."""
    found = [*method.problems, *findings(method, RULES_OF_SPEC)]
    found = found or [
        *collisions(method),
        *unknown_length(method),
        *findings(method, RULES_OF_METHOD),
    ]
    unique = sorted({(d.span, d.message): d for d in found}.values(), key=lambda d: d.order)
    if any(d.severity == "error" for d in unique):
        raise Failed(d for d in unique if d.severity == "error")
    return unique
