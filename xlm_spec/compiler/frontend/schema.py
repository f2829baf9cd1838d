"""The JSON Schema (draft 2020-12) of a spec, derived from the components; also for editors."""

import hashlib
import json
from pathlib import Path

from xlm_spec.compiler.axes import (
    CLOCK,
    PROCESS,
    SCHEDULE,
    components_of,
    within,
)
from xlm_spec.compiler.components import (
    COMPONENTS,
    HERE,
    LAW,
    Component,
    Parameter,
    without_synonyms,
)
from xlm_spec.compiler.frontend import hover
from xlm_spec.compiler.frontend.forms import NAME, ComponentsOf, Forms, number, ref
from xlm_spec.compiler.frontend.setting_forms import setting
from xlm_spec.compiler.runtime_settings import (
    code_files,
    settings,
    tasks,
)

SHIPPED = HERE / "spec.schema.json"
OF_DIAGNOSTICS = HERE / "diagnostics.schema.json"
DERIVING = (
    *("axes", "components/docstring", "components/model", "components/reader"),
    *("runtime_settings", "frontend/forms", "frontend/hover", "frontend/schema"),
    *("frontend/setting_forms", "frontend/synonyms"),
    *("docs/cards", "docs/markdown"),
)


def current() -> dict:
    """The shipped schema if it is up to date, else a new one."""
    try:
        shipped = json.loads(SHIPPED.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return schema()
    return shipped if shipped.get("$comment") == digest() else schema()


def digest() -> str:
    """The digest of all files from which the schema is derived."""
    here, tasks = Path(__file__).parent.parent, (HERE / "runtime" / "tasks").glob("*.py")
    listed = (f for f in COMPONENTS.rglob("*.py") if not f.stem.endswith(LAW))
    sources = [*listed, HERE / "runtime" / "config" / "settings.py", HERE / "ranges.py"]
    sources += [*tasks, *code_files(), *(here / f"{n}.py" for n in DERIVING)]
    found = hashlib.sha256()
    for file in sorted(sources):
        found.update(file.name.encode() + file.read_bytes())
    return f"derived from {found.hexdigest()}"


def schema(on: ComponentsOf = components_of) -> dict:
    """The schema of a spec; `on` returns the components of an axis."""
    run, forms = settings(), Forms(on)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": digest(),
        "title": "xlm-spec",
        "description": "The method of a language model: noise, target, loss, sampler, backbone.",
        "type": "object",
        "required": ["xlm_spec", "name", "noise", "target", "loss", "sampler", "backbone"],
        "additionalProperties": False,
        "properties": {
            "xlm_spec": {"const": 1, "description": "Version of the spec language."},
            "name": {"type": "string", "pattern": NAME, "description": "Name of the package."},
            "title": {"type": "string", "description": "Title of the method."},
            "paper": {"type": "string", "description": "Paper of the method."},
            "noise": {
                "title": "noise",
                "description": "How sequences are corrupted.",
                "type": "object",
                "required": [PROCESS.key],
                "additionalProperties": False,
                "properties": {
                    a.key: forms.one_or_many(a) if a.many else ref(a.path)
                    for a in within(PROCESS.parts[:-1])
                },
                "patternProperties": {CLOCK: ref(SCHEDULE.path)},
            },
            **{a.key: forms.section(a) for a in within(())},
            "data": data(run),
            "train": section(run, "Train"),
        },
        "$defs": forms.definitions(),
    }


def section(run: Component, name: str, **other: dict) -> dict:
    """A section with settings of the runtime."""
    return {
        "title": name.lower(),
        "description": without_synonyms(run.classes[name]),
        "type": "object",
        "additionalProperties": False,
        "properties": {p.name: setting(name.lower(), p) for p in run.fields[name]} | other,
    }


def data(run: Component) -> dict:
    """The section `data`: editors suggest the options of the chosen task."""
    field = next(p for p in run.fields["Data"] if p.name == "task")
    every = shared([p for options in tasks().values() for p in options])
    quiet = {name: option | {"doNotSuggest": True} for name, option in every.items()}
    shipped = {
        "enum": list(tasks()),
        "markdownEnumDescriptions": [hover.of_task(t) for t in tasks()],
    }
    file = {"pattern": r"\.py$|/"}  # a custom task
    branches = [
        {
            "if": {"properties": {"task": {"pattern": f"^{name}$"}}}
            | ({"required": ["task"]} if name != field.default else {}),
            "then": {"properties": {n: option(name, n) for n in every}},
        }
        for name in tasks()
    ]
    task = number(field) | {"anyOf": [shipped, file]}
    return section(run, "Data", task=task, **quiet) | {"allOf": branches}


def shared(options: list[Parameter]) -> dict[str, dict]:
    """The schema of each option of any task; a default that differs between tasks is left out."""
    found: dict[str, dict] = {}
    for p in options:
        rules, other = number(p), found.get(p.name)
        if other is not None and other.get("default") != rules.get("default"):
            rules.pop("default", None)
        found[p.name] = rules
    return found


def option(task: str, name: str) -> dict:
    """The schema of an option under a task; an editor warns if the task has no such option."""
    own = next((p for p in tasks()[task] if p.name == name), None)
    message = f"task `{task}` has no option `{name}`"
    return {"deprecationMessage": message} if own is None else number(own)
