"""The compiler: load, validate, compose, check, lower, render, refresh."""

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from xlm_spec.compiler.emit.lower import lower
from xlm_spec.compiler.emit.render import render
from xlm_spec.compiler.emit.state import is_package
from xlm_spec.compiler.frontend.load import load
from xlm_spec.compiler.frontend.validate import validate
from xlm_spec.compiler.middle.check import check
from xlm_spec.compiler.middle.compose import compose
from xlm_spec.compiler.middle.summary import inferred, outline, with_defaults
from xlm_spec.compiler.plan import checked
from xlm_spec.diagnostics import Diagnostic, Failed
from xlm_spec.refresh.package import Refreshed, refresh

GENERATED = "generated"  # the default folder of packages


def build(path: str | Path, into: str | Path | None = None, check_only: bool = False) -> Refreshed:
    """Compiles a spec into the package `into/<name>/`, and merges it with the user's edits there.

    A spec inside a package is compiled into that package, unless `into` is set. Raises Failed with
    the errors in the spec, or in writing the package.
    """
    document = load(path)  # YAML -> values, and the location of each
    spec = validate(document)  # keys, types and ranges (X1xx)
    method = compose(spec)  # with defaults, and what provides each wire
    warnings = check(method)  # fitting components, correct mathematics (X2xx, X3xx)
    home = Path(path).absolute().parent
    if into is None and is_package(home):
        folder = Path(path).parent
    else:
        folder = Path(into or GENERATED) / spec.name
    inside = folder.resolve() == home.resolve()
    plan = lower(method, inside)  # what the package contains, as data
    files = render(plan)  # {path: bytes}: laid out as lines, and listed by the templates
    inputs: list[str] = []
    if inside:
        inputs = [Path(path).name, *(f["path"] for f in plan.own)]
        inputs += [f"tests/{law['name']}.py" for law in plan.laws]
    done = refresh(folder, files, check_only, inputs)  # merged with the user's edits (X4xx)
    if not check_only and not inside:
        note_origin(folder, home, spec.data, spec.train)
    return replace(done, warnings=(*warnings, *done.warnings))


def note_origin(folder: Path, home: Path, data: Mapping, train: Mapping) -> None:
    """Writes the folder of the spec to `.xlm/origin`, if the spec names data or code beside it."""
    note = folder / ".xlm" / "origin"
    if not names_files(data) and not names_code([data, train]):
        note.unlink(missing_ok=True)
        return
    origin = os.path.relpath(home.resolve(), folder.resolve()).replace(os.sep, "/")
    try:
        if not note.exists() or note.read_text(encoding="utf-8") != f"{origin}\n":
            temporary = note.with_name("origin.part")
            temporary.write_text(f"{origin}\n", encoding="utf-8", newline="\n")
            temporary.replace(note)
    except OSError as e:
        message = f"cannot write the file: {e.strerror}"
        raise Failed(Diagnostic("X403", message, file=str(note))) from None


def names_files(data: Mapping) -> bool:
    """Does `data` contain a string that may be a path? The name of a task is not a path."""
    texts = {k: v for k, v in data.items() if isinstance(v, str) and k != "fill"}
    return any(k != "task" or "/" in v or v.endswith(".py") for k, v in texts.items())


def names_code(values: object) -> bool:
    """Does a setting name a file of code, `./file.py:Name`?"""
    if isinstance(values, Mapping):
        values = [*values.values()]
    if isinstance(values, list):
        return any(map(names_code, values))
    return isinstance(values, str) and ".py:" in values


def stage(path: str | Path, name: str) -> str:
    """The result of a stage as text: `spec` (with defaults), `method`, `plan` or `files`."""
    method, _ = checked(path)
    if name == "spec":
        return as_json({"method": with_defaults(method), "inferred": inferred(method)})
    if name == "method":
        return as_json(outline(method))
    plan = lower(method, is_package(Path(path).parent))
    if name == "plan":
        return plan.as_json()
    files = render(plan).items()
    return "".join(f"==> {p} <==\n{text.decode()}\n" for p, text in files)


def as_json(data: dict) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
