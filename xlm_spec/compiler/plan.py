"""Spec -> Method or Plan, for commands that write nothing."""

import json
from pathlib import Path

from xlm_spec.compiler.emit.layout import laid_out
from xlm_spec.compiler.emit.lower import lower
from xlm_spec.compiler.emit.plan import Plan
from xlm_spec.compiler.emit.state import is_package
from xlm_spec.compiler.frontend.load import load
from xlm_spec.compiler.frontend.validate import validate
from xlm_spec.compiler.middle.check import check
from xlm_spec.compiler.middle.compose import compose
from xlm_spec.compiler.middle.method import Method
from xlm_spec.diagnostics import Diagnostic


def checked(path: str | Path) -> tuple[Method, list[Diagnostic]]:
    """The method of a spec, and its warnings. Raises Failed with the errors."""
    method = compose(validate(load(path)))
    return method, check(method)


def plan_of(path: str | Path) -> Plan:
    """The plan of a spec. Raises Failed with the errors."""
    return lower(checked(path)[0], is_package(Path(path).parent))


def answers_of(path: str | Path) -> str:
    """The plan, laid out as lines, as answers for copier: JSON, which is YAML."""
    return json.dumps({"ir": laid_out(plan_of(path))}, indent=2, ensure_ascii=False) + "\n"
