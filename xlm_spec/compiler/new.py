"""Writes and builds a new spec: a preset or a starter, with the schema beside it."""

import json
import os
import re
from pathlib import Path

from xlm_spec.compiler.build import GENERATED, build
from xlm_spec.compiler.components import HERE
from xlm_spec.compiler.frontend.forms import NAME
from xlm_spec.compiler.frontend.names import name_conflict
from xlm_spec.compiler.frontend.schema import current
from xlm_spec.compiler.starter import starter
from xlm_spec.diagnostics import Diagnostic, Failed, alternatives
from xlm_spec.refresh.disk import create, replace
from xlm_spec.refresh.package import Refreshed

PRESETS = HERE / "_specs"  # in the wheel
if not PRESETS.is_dir():
    PRESETS = HERE.parent / "specs"  # in a checkout
FOLDER, SCHEMA = "specs", "spec.schema.json"
MODELINE = f"# yaml-language-server: $schema={SCHEMA}\n"


def new(name: str, preset: str | None = None, into: str | Path | None = None) -> Refreshed:
    """Writes `specs/<name>.yaml` and the schema, and builds the spec into `into/<name>/`.

    The text is the preset `preset` or `name`, or else a starter. Raises Failed: X105 for an unknown
    preset, X107 for an invalid name, X404 if the spec exists.
    """
    if not re.fullmatch(NAME, name):
        hint = "use lower-case letters, digits and single underscores, such as my_method"
        raise Failed(Diagnostic("X107", f"`{name}` is not a valid name for a package", hint))
    if why := name_conflict(name):
        raise Failed(Diagnostic("X107", *why))
    file = Path(FOLDER) / f"{name}.yaml"
    text = MODELINE + text_of(name, preset)
    if os.path.lexists(file):
        hint = "choose another name, or delete the file"
        raise Failed(Diagnostic("X404", "a spec with this name already exists", hint, str(file)))
    try:
        replace(file.with_name(SCHEMA), (json.dumps(current(), indent=2) + "\n").encode())
        create(file, text.encode())
    except OSError as e:
        message = f"cannot write the spec: {e.strerror}"
        raise Failed(Diagnostic("X403", message, file=str(file))) from None
    return build(file, into)


def presets() -> dict[str, Path]:
    return {p.stem: p for p in sorted(PRESETS.glob("*.yaml"))}


def text_of(name: str, preset: str | None) -> str:
    """The spec without its first line, which names the schema for editors."""
    known = presets()
    if preset is not None and preset not in known:
        message = f"unknown preset `{preset}`"
        raise Failed(Diagnostic("X105", message, alternatives(preset, known)))
    if (preset or name) not in known:
        return starter(name)
    text = known[preset or name].read_text(encoding="utf-8")
    text = re.sub(r"\A# yaml-language-server: .*\n", "", text)
    return re.sub(r"^name: .*$", f"name: {name}", text, count=1, flags=re.M)


def next_steps(name: str, into: str | Path | None) -> str:
    """The commands to run next."""
    built = "" if into is None else f" --into {into}"
    into = into or GENERATED
    return "\n".join(
        [
            f"  xlm-spec build specs/{name}.yaml{built}",
            f"  cd {Path(into) / name}",
            f"  python -m {name} train --task star_mini --size cpu --minutes 1 --run runs/first",
            f"  python -m {name} generate --run runs/first -n 2 --watch",
        ]
    )
