"""The compiler: load, validate, check, lower (see plan.py), render, refresh."""

import json
from dataclasses import replace
from pathlib import Path

from xlm_spec.compiler.plan import checked, plan_of
from xlm_spec.compiler.render import render
from xlm_spec.refresh.package import Refreshed, refresh


def build(path: str | Path, into: str | Path = "generated", check_only: bool = False) -> Refreshed:
    """Compiles a spec into `into/<name>/`; what a person wrote there is kept, merged, or marked.

    Raises Failed with what is wrong with the spec, or keeps the package from being written.
    """
    plan, warnings = checked(path)  # load, validate, check, lower
    files = render(plan)  # {path: bytes}; pure, in memory
    done = refresh(Path(into) / plan.name, files, check_only)  # merged with your edits (X4xx)
    return replace(done, warnings=(*warnings, *done.warnings))


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
