"""The compiler: load, validate, check, lower (see plan.py), render, refresh."""

import json
from dataclasses import replace
from pathlib import Path

from xlm_spec.compiler.plan import checked, plan_of
from xlm_spec.compiler.render import STATE, render
from xlm_spec.refresh.package import Refreshed, refresh

GENERATED = "generated"  # where packages are written, unless told


def build(path: str | Path, into: str | Path | None = None, check_only: bool = False) -> Refreshed:
    """Compiles a spec into `into/<name>/`; what a person wrote there is kept, merged, or marked.

    A package's own spec is compiled into that package, unless `into` says otherwise. Raises Failed
    with what is wrong with the spec, or keeps the package from being written.
    """
    plan, warnings = checked(path)  # load, validate, check, lower
    files = render(plan)  # {path: bytes}; pure, in memory
    home = Path(path).absolute().parent
    if into is None and is_package(home):
        folder = Path(path).parent
    else:
        folder = Path(into or GENERATED) / plan.name
    inputs: list[str] = []
    if folder.resolve() == home.resolve():
        inputs = [Path(path).name, *(f["path"] for f in plan.own)]
    done = refresh(folder, files, check_only, inputs)  # merged with your edits (X4xx)
    return replace(done, warnings=(*warnings, *done.warnings))


def is_package(folder: Path) -> bool:
    """Did a build write it?"""
    return any((folder / p).exists() for p in STATE)


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
