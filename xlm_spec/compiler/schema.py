"""The JSON Schema (draft 2020-12) of a spec, derived from the components; editors use it too."""

import hashlib
import json
from collections.abc import Callable
from math import isfinite
from pathlib import Path

from xlm_spec.compiler.axes import (
    BACKBONE,
    LOSS,
    NOISE,
    OUTER,
    PROCESS,
    RULES,
    SAMPLER,
    TARGET,
    WEIGHT,
    Axis,
    Cards,
    cards,
    settings,
    tasks,
)
from xlm_spec.compiler.components import COMPONENTS, HERE, Component, Parameter

SHIPPED = HERE / "spec.schema.json"
TYPES = {"float": "number", "int": "integer", "bool": "boolean", "str": "string"}
Shelf = Callable[[Axis], Cards]
NAME = "^[a-z][a-z0-9]*(_[a-z0-9]+)*$"


def current() -> dict:
    """The schema that ships where it was derived from today's sources, else derived anew."""
    try:
        shipped = json.loads(SHIPPED.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return schema()
    return shipped if shipped.get("$comment") == digest() else schema()


def digest() -> str:
    """Of everything that the schema is derived from."""
    here, tasks = Path(__file__).parent, (HERE / "runtime" / "tasks").glob("*.py")
    sources = [*COMPONENTS.rglob("*.py"), HERE / "runtime" / "settings.py", HERE / "ranges.py"]
    sources += [*tasks, *(here / f"{n}.py" for n in ("axes", "components", "schema"))]
    found = hashlib.sha256()
    for file in sorted(sources):
        found.update(file.name.encode() + file.read_bytes())
    return f"derived from {found.hexdigest()}"


def schema(on: Shelf = cards) -> dict:
    """What a spec may hold, as far as its form goes; `on` tells the values of an axis."""
    run = settings()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": digest(),
        "title": "xlm-spec",
        "description": "The method of a language model: noise, target, loss, sampler, network.",
        "type": "object",
        "required": ["xlm_spec", "name", "noise", "target", "loss", "sampler", "backbone"],
        "additionalProperties": False,
        "properties": {
            "xlm_spec": {"const": 1, "description": "version of the spec language"},
            "name": {"type": "string", "pattern": NAME, "description": "of the package"},
            "title": {"type": "string", "description": "the method in a few words"},
            "paper": {"type": "string", "description": "where the method is from"},
            "noise": {
                "type": "object",
                "required": [PROCESS.key],
                "additionalProperties": False,
                "properties": {a.key: one_of(a, on) for a in NOISE},
            },
            "target": one_or_many(TARGET, on),
            "loss": one_or_many(LOSS, on, {WEIGHT.key: one_of(WEIGHT, on)}),
            "sampler": samplers(on),
            "backbone": one_of(BACKBONE, on),
            "data": section(run, "Data", **task_options(), task=task()),
            "train": section(run, "Train"),
        },
    }


def number(p: Parameter) -> dict:
    """What a parameter may be."""
    out: dict = {"type": TYPES[p.type], "description": p.meaning, "default": p.default}
    if p.choices:
        out["enum"] = list(p.choices)
    if p.range and isfinite(p.range.low):
        out["minimum" if p.range.with_low else "exclusiveMinimum"] = p.range.low
    if p.range and isfinite(p.range.high):
        out["maximum" if p.range.with_high else "exclusiveMaximum"] = p.range.high
    return out


def describe(c: Component) -> str:
    return f"{c.title} ({c.paper})" if c.paper else c.title


def one_of(axis: Axis, on: Shelf, more: dict | None = None) -> dict:
    """A value, or a mapping with `kind` and that value's parameters."""
    found = on(axis)
    kinds = {"enum": list(found), "description": axis.meaning}
    branches = [
        {
            "if": {"properties": {"kind": {"const": value}}},
            "then": {
                "description": describe(c),
                "properties": {
                    "kind": kinds,
                    **{p.name: number(p) for p in c.parameters},
                    **(more or {}),
                },
                "additionalProperties": False,
            },
        }
        for value, c in found.items()
    ]
    return {
        "description": axis.meaning,
        "if": {"type": "object"},
        "then": {"required": ["kind"], "properties": {"kind": kinds}, "allOf": branches},
        "else": kinds,
    }


def item(axis: Axis, on: Shelf, more: dict) -> dict:
    """A name, or `name: {parameters}`."""
    found = on(axis)
    parameters = {
        value: {
            "type": "object",
            "description": describe(c),
            "properties": {p.name: number(p) for p in c.parameters} | more,
            "additionalProperties": False,
        }
        for value, c in found.items()
    }
    return {
        "if": {"type": "object"},
        "then": {
            "properties": parameters,
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
        },
        "else": {"enum": list(found), "description": axis.meaning},
    }


def one_or_many(axis: Axis, on: Shelf, more: dict | None = None) -> dict:
    """An item, or a list of them."""
    one = item(axis, on, more or {})
    many = {"type": "array", "minItems": 1, "items": one}
    return {"description": axis.meaning, "if": {"type": "array"}, "then": many, "else": one}


def samplers(on: Shelf) -> dict:
    """One sampler, or names -> samplers."""
    one = one_of(SAMPLER, on, {a.key: one_of(a, on) for a in (*RULES, OUTER)})
    named = {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": NAME},
        "additionalProperties": one,
    }
    several = {"type": "object", "not": {"required": ["kind"]}}
    return {"description": SAMPLER.meaning, "if": several, "then": named, "else": one}


def section(run: Component, name: str, **other: dict) -> dict:
    """A section of settings that belong to the runtime."""
    properties = {p.name: number(p) for p in run.fields[name]} | other
    return {"type": "object", "additionalProperties": False, "properties": properties}


def task() -> dict:
    return {"type": "string", "examples": list(tasks()), "description": "what is trained on"}


def task_options() -> dict:
    """What one task or another lets a spec set."""
    return {p.name: number(p) for options in tasks().values() for p in options}
