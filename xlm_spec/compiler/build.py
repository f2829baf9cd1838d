"""The compiler: one function of six calls."""

import json
from dataclasses import asdict
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
    return write(files, plan, Path(into), check_only)  # edited files are refused (X4xx)


def plan_of(path: str | Path) -> Plan:
    """The first four calls."""
    doc = load(path)  # YAML text -> plain values, and the place of each
    spec = validate(doc)  # right keys, types, ranges (X1xx)
    check(spec)  # do the pieces fit, does the mathematics hold? (X2xx, X3xx)
    return lower(spec)  # defaults filled, components chosen, files named


def stage(path: str | Path, name: str) -> str:
    """A stage of the compiler as text: `spec` with its defaults, `plan`, or `files`."""
    plan = plan_of(path)
    if name == "plan":
        return plan.as_json()
    if name == "spec":
        told = {"method": plan.method, "inferred": plan.inferred}
        return json.dumps(told, indent=2, ensure_ascii=False) + "\n"
    files = render(plan).items()
    return "".join(f"==> {p} <==\n{text.decode()}\n" for p, text in files)


def answers_of(path: str | Path) -> str:
    """The plan as copier's answers: YAML that is JSON."""
    return json.dumps({"ir": asdict(plan_of(path))}, indent=2, ensure_ascii=False) + "\n"
