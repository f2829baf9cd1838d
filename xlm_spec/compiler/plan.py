"""Text -> Plan: the first four of the compiler's six calls."""

import json
from dataclasses import asdict
from pathlib import Path

from xlm_spec.compiler.check import check
from xlm_spec.compiler.load import load
from xlm_spec.compiler.lower import Plan, lower
from xlm_spec.compiler.validate import validate


def plan_of(path: str | Path) -> Plan:
    """The plan of a spec. Raises Failed with what is wrong."""
    doc = load(path)  # YAML text -> plain values, and the place of each
    spec = validate(doc)  # right keys, right types, right ranges (X1xx)
    check(spec)  # do the pieces fit, does the mathematics hold? (X2xx, X3xx)
    return lower(spec)  # defaults filled, components chosen, files named


def answers_of(path: str | Path) -> str:
    """The plan as copier's answers: YAML that is JSON."""
    return json.dumps({"ir": asdict(plan_of(path))}, indent=2, ensure_ascii=False) + "\n"
