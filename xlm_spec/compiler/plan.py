"""Text -> Plan: the first four of the compiler's six calls."""

import json
from dataclasses import asdict
from pathlib import Path

from xlm_spec.compiler.check import check
from xlm_spec.compiler.form.load import load
from xlm_spec.compiler.form.validate import validate
from xlm_spec.compiler.lower import Plan, lower
from xlm_spec.diagnostics import Diagnostic


def plan_of(path: str | Path) -> Plan:
    """The plan of a spec. Raises Failed with what is wrong."""
    return checked(path)[0]


def checked(path: str | Path) -> tuple[Plan, list[Diagnostic]]:
    """The plan of a spec, and what is legal in it, but unwise. Raises Failed."""
    doc = load(path)  # YAML text -> plain values, and the place of each
    spec = validate(doc)  # right keys, right types, right ranges (X1xx)
    warnings = check(spec)  # do the pieces fit, does the mathematics hold? (X2xx, X3xx)
    return lower(spec), warnings  # defaults filled, components chosen, files named


def answers_of(path: str | Path) -> str:
    """The plan as copier's answers: YAML that is JSON."""
    return json.dumps({"ir": asdict(plan_of(path))}, indent=2, ensure_ascii=False) + "\n"
