"""A new spec: a preset, or a first one to fill in, with the schema beside it, and built."""

import json
import os
import re
from pathlib import Path

from xlm_spec.compiler.build import GENERATED, build
from xlm_spec.compiler.components import HERE
from xlm_spec.compiler.form.forms import NAME
from xlm_spec.compiler.form.names import hides
from xlm_spec.compiler.form.schema import current
from xlm_spec.compiler.starter import starter
from xlm_spec.diagnostics import Diagnostic, Failed, alternatives
from xlm_spec.refresh.package import Refreshed
from xlm_spec.refresh.places import create, replace

PRESETS = HERE / "_specs"  # in the wheel
if not PRESETS.is_dir():
    PRESETS = HERE.parent / "specs"  # in a checkout
FOLDER, SCHEMA = "specs", "spec.schema.json"
MODELINE = f"# yaml-language-server: $schema={SCHEMA}\n"


def new(name: str, preset: str | None = None, into: str | Path | None = None) -> Refreshed:
    """Writes `specs/<name>.yaml` and the schema, and builds the spec into `into/<name>/`.

    The preset of that name, or the one that is asked for, or a starter. Raises Failed: X105 where
    there is no such preset, X107 where a package can't have the name, X404 where a spec has it.
    """
    if not re.fullmatch(NAME, name):
        hint = "words of small letters and digits, joined by _"
        raise Failed(Diagnostic("X107", f"`{name}` is no name for a package", hint))
    if why := hides(name):
        raise Failed(Diagnostic("X107", *why))
    file = Path(FOLDER) / f"{name}.yaml"
    text = MODELINE + text_of(name, preset)
    if os.path.lexists(file):
        hint = "another name, or delete the file yourself"
        raise Failed(Diagnostic("X404", "a spec of this name stands here already", hint, str(file)))
    try:
        replace(file.with_name(SCHEMA), (json.dumps(current(), indent=2) + "\n").encode())
        create(file, text.encode())
    except OSError as e:
        told = f"cannot write the spec: {e.strerror}"
        raise Failed(Diagnostic("X403", told, file=str(file))) from None
    return build(file, into)


def presets() -> dict[str, Path]:
    return {p.stem: p for p in sorted(PRESETS.glob("*.yaml"))}


def text_of(name: str, preset: str | None) -> str:
    """The spec without its first line, which tells an editor the schema."""
    known = presets()
    if preset is not None and preset not in known:
        told = f"no preset is called `{preset}`"
        raise Failed(Diagnostic("X105", told, alternatives(preset, known)))
    if (preset or name) not in known:
        return starter(name)
    text = known[preset or name].read_text(encoding="utf-8")
    text = re.sub(r"\A# yaml-language-server: .*\n", "", text)
    return re.sub(r"^name: .*$", f"name: {name}", text, count=1, flags=re.M)


def next_steps(name: str, into: str | Path | None) -> str:
    """What to run from here on."""
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
