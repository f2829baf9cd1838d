"""Rules of the mathematics (X3xx), a file for each, with its reason.

From X351 on they warn: what they find is legal, and unwise.
"""

from collections.abc import Iterator

from xlm_spec.compiler.method import Method
from xlm_spec.compiler.rules import apart, drawn_stop, ends_clean, falling
from xlm_spec.diagnostics import Diagnostic

RULES = (falling, drawn_stop, apart, ends_clean)
WARNS = 351  # from this number on


def findings(method: Method) -> Iterator[Diagnostic]:
    """What the rules find in a method whose pieces fit."""
    doc = method.spec.document
    for rule in RULES:
        for f in rule.found(method):
            severity = "warning" if int(rule.CODE[1:]) >= WARNS else "error"
            yield doc.diagnostic(rule.CODE, f.message, f.choice.path, f.hint, severity=severity)
