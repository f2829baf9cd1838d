"""Rules of the mathematics (X3xx), a file for each, with its reason.

Most are of the spec as it stands. Others ask what its pieces amount to, and wait until these fit.
From X351 on a rule warns: what it finds is legal, and unwise. X301 is told where the weight is
looked for (`training`).
"""

from collections.abc import Iterator
from types import ModuleType

from xlm_spec.compiler.method import Method
from xlm_spec.compiler.rules import (
    apart,
    asked_for,
    complete,
    drawn_stop,
    ends_clean,
    falling,
    told_time,
    trained,
    untimed,
    whole_time,
)
from xlm_spec.diagnostics import Diagnostic

OF_THE_SPEC = (asked_for, untimed, whole_time, told_time, complete)
OF_ITS_PIECES = (trained, falling, drawn_stop, apart, ends_clean)
WARNS = 351  # from this number on


def findings(method: Method, rules: tuple[ModuleType, ...]) -> Iterator[Diagnostic]:
    """What rules find in a method."""
    for rule in rules:
        severity = "warning" if int(rule.CODE[1:]) >= WARNS else "error"
        for f in rule.found(method):
            yield method.spec.diagnostic(rule.CODE, f.choice, f.message, f.hint, severity)
