"""The JSON Schema (draft 2020-12) of a spec, derived from the components; editors use it too."""

import hashlib
import json
from pathlib import Path

from xlm_spec.compiler.axes import BACKBONE, LOSS, NOISE, PROCESS, TARGET, cards, settings, tasks
from xlm_spec.compiler.components import COMPONENTS, HERE, Component, without_synonyms
from xlm_spec.compiler.form import hover
from xlm_spec.compiler.form.forms import NAME, Forms, Shelf, number, ref, samplers

SHIPPED = HERE / "spec.schema.json"
OF_DIAGNOSTICS = HERE / "diagnostics.schema.json"
DERIVING = (
    *("axes", "components", "form/forms", "form/hover", "form/schema"),
    *("shown/cards", "shown/markdown"),
)


def current() -> dict:
    """The schema that ships where it was derived from today's sources, else derived anew."""
    try:
        shipped = json.loads(SHIPPED.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return schema()
    return shipped if shipped.get("$comment") == digest() else schema()


def digest() -> str:
    """Of everything that the schema is derived from."""
    here, tasks = Path(__file__).parent.parent, (HERE / "runtime" / "tasks").glob("*.py")
    sources = [*COMPONENTS.rglob("*.py"), HERE / "runtime" / "settings.py", HERE / "ranges.py"]
    sources += [*tasks, *(here / f"{n}.py" for n in DERIVING)]
    found = hashlib.sha256()
    for file in sorted(sources):
        found.update(file.name.encode() + file.read_bytes())
    return f"derived from {found.hexdigest()}"


def schema(on: Shelf = cards) -> dict:
    """What a spec may hold, as far as its form goes; `on` tells the values of an axis."""
    run, forms = settings(), Forms(on)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": digest(),
        "title": "xlm-spec",
        "description": "The method of a language model: noise, target, loss, sampler, network.",
        "type": "object",
        "required": ["xlm_spec", "name", "noise", "target", "loss", "sampler", "backbone"],
        "additionalProperties": False,
        "properties": {
            "xlm_spec": {"const": 1, "description": "Version of the spec language."},
            "name": {"type": "string", "pattern": NAME, "description": "Name of the package."},
            "title": {"type": "string", "description": "The method in a few words."},
            "paper": {"type": "string", "description": "Where the method is from."},
            "noise": {
                "title": "noise",
                "description": "How clean text is corrupted.",
                "type": "object",
                "required": [PROCESS.key],
                "additionalProperties": False,
                "properties": {a.key: ref(a.path) for a in NOISE},
            },
            "target": forms.one_or_many(TARGET),
            "loss": forms.one_or_many(LOSS),
            "sampler": samplers(),
            "backbone": forms.one_of(BACKBONE),
            "data": data(run),
            "train": section(run, "Train"),
        },
        "$defs": forms.definitions(),
    }


def section(run: Component, name: str, **other: dict) -> dict:
    """A section of settings that belong to the runtime."""
    return {
        "title": name.lower(),
        "description": without_synonyms(run.classes[name]),
        "type": "object",
        "additionalProperties": False,
        "properties": {p.name: number(p) for p in run.fields[name]} | other,
    }


def data(run: Component) -> dict:
    """The section `data`: what a task lets a spec set is offered where this task is chosen."""
    told = next(p for p in run.fields["Data"] if p.name == "task")
    every = {p.name: number(p) for options in tasks().values() for p in options}
    quiet = {name: option | {"doNotSuggest": True} for name, option in every.items()}
    shipped = {
        "enum": list(tasks()),
        "markdownEnumDescriptions": [hover.of_task(t) for t in tasks()],
    }
    file = {"pattern": r"\.py$|/"}  # of the user's
    branches = [
        {
            "if": {"properties": {"task": {"pattern": f"^{name}$"}}}
            | ({"required": ["task"]} if name != told.default else {}),
            "then": {"properties": {n: option(name, n, o) for n, o in every.items()}},
        }
        for name in tasks()
    ]
    task = number(told) | {"anyOf": [shipped, file]}
    return section(run, "Data", task=task, **quiet) | {"allOf": branches}


def option(task: str, name: str, rules: dict) -> dict:
    """An option where a task is chosen, which may be another task's."""
    if name in {p.name for p in tasks()[task]}:
        return rules
    return {"deprecationMessage": f"task `{task}` has no `{name}`"}
