"""The compiler: one function of six calls."""

from pathlib import Path

from xlm_spec.compiler.check import check
from xlm_spec.compiler.load import load
from xlm_spec.compiler.lower import Plan, lower
from xlm_spec.compiler.render import render
from xlm_spec.compiler.validate import validate
from xlm_spec.compiler.write import Written, write


def build(path: str | Path, into: str | Path = "generated", check_only: bool = False) -> Written:
    """Compiles a spec into `into/<name>/`. Raises Failed with what is wrong."""
    plan = plan_of(path)
    files = render(plan)  # {path: bytes}
    return write(files, plan, Path(into), check_only)


def plan_of(path: str | Path) -> Plan:
    """The first four calls: text -> Document -> Spec -> checked -> Plan."""
    doc = load(path)  # plain values, and the place of each
    spec = validate(doc)  # right keys, types, ranges (X1xx)
    check(spec)  # do the pieces fit, does the mathematics hold? (X2xx, X3xx)
    return lower(spec)  # defaults filled, components chosen, files named
