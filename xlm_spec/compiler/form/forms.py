"""How a choice stands in a spec, as JSON Schema: a name, a mapping with parameters, or a list.

Editors read more than `jsonschema` does: `markdownDescription`, `markdownEnumDescriptions`,
`doNotSuggest`, and `deprecationMessage`, which they show wherever such a key is written. They
complete values from `enum` and `anyOf`, but not from `then` and `else`.
"""

import re
from collections.abc import Callable
from math import isfinite

from xlm_spec.compiler.axes import (
    AXES,
    LOSS,
    NOISE,
    OUTER,
    RULES,
    SAMPLER,
    TARGET,
    WEIGHT,
    Axis,
    Cards,
    cards,
)
from xlm_spec.compiler.components import Component, Parameter
from xlm_spec.compiler.form import hover

TYPES = {"float": "number", "int": "integer", "bool": "boolean", "str": "string"}
Shelf = Callable[[Axis], Cards]
FILE = r"\.py$"  # of a component of the author's own
OWN = {"type": "string", "pattern": FILE}
NAME = "^[a-z][a-z0-9]*(_[a-z0-9]+)*$"


def ref(name: str) -> dict:
    return {"$ref": f"#/$defs/{name}"}


def number(p: Parameter) -> dict:
    """What a parameter may be."""
    out: dict = {
        "type": TYPES[p.type],
        "description": p.meaning,
        "markdownDescription": hover.of_parameter(p),
        "default": p.default,
    }
    if p.choices:
        out["enum"] = list(p.choices)
    if p.range and isfinite(p.range.low):
        out["minimum" if p.range.with_low else "exclusiveMinimum"] = p.range.low
    if p.range and isfinite(p.range.high):
        out["maximum" if p.range.with_high else "exclusiveMaximum"] = p.range.high
    return out


def described(axis: Axis) -> dict:
    return {
        "title": axis.path,
        "description": axis.meaning,
        "markdownDescription": hover.of_axis(axis),
    }


def either(axis: Axis, *forms: dict) -> dict:
    """A name, or a mapping, or a list: in this order, by which errors are told (`validate`).

    Or the path of a file, which is told of before (`shelf`).
    """
    return described(axis) | {"anyOf": [ref(f"{axis.path}.values"), *forms, OWN]}


class Forms:
    """The forms of every axis; `on` tells which values it has."""

    def __init__(self, on: Shelf = cards):
        self.on = on

    def definitions(self) -> dict:
        """What stands at several places of a spec."""
        found = {f"{a.path}.values": self.names(a) for a in AXES}
        found |= {a.path: self.one_of(a) for a in (*NOISE, WEIGHT, *RULES, OUTER)}
        found |= {a.path: either(a, self.item(a)) for a in (TARGET, LOSS)}
        found["sampler.kind"] = self.mapping(SAMPLER)
        found[SAMPLER.path] = either(SAMPLER, ref("sampler.kind"))
        return found

    def names(self, axis: Axis) -> dict:
        """The values of an axis."""
        found = self.on(axis)
        return described(axis) | {
            "enum": list(found),
            "markdownEnumDescriptions": [hover.of_value(axis, c) for c in found.values()],
        }

    def one_of(self, axis: Axis) -> dict:
        """A value, or a mapping with `kind` and that value's parameters."""
        return either(axis, self.mapping(axis))

    def one_or_many(self, axis: Axis) -> dict:
        """An item, or a list of them."""
        many = {"type": "array", "minItems": 1, "items": ref(axis.path)}
        return either(axis, self.item(axis), many)

    def mapping(self, axis: Axis) -> dict:
        """`kind`, and the parameters of that kind.

        A pattern tells the kind: while one types, `const: rotary_timed` holds of `rotary` too.
        """
        kinds = {v: value(axis, c) for v, c in self.on(axis).items()}
        for rules in kinds.values():
            rules["properties"] = {"kind": True} | rules["properties"]
        branches = [
            {
                "if": {"properties": {"kind": {"type": "string", "pattern": f"^{re.escape(v)}$"}}},
                "then": rules,
            }
            for v, rules in kinds.items()
        ]
        if axis == SAMPLER:  # rules are looked at, whatever the kind
            inside = {a.key: ref(a.path) for a in (*RULES, OUTER)}
            unknown = {"properties": {"kind": {"not": {"enum": list(kinds)}}}}
            branches.append({"if": unknown, "then": {"properties": inside}})
        of_any = {name: True for rules in kinds.values() for name in rules["properties"]}
        return {
            "type": "object",
            "title": axis.path,
            "required": ["kind"],
            "properties": {"kind": either(axis)},
            "if": {"required": ["kind"]},
            "then": {"allOf": branches},
            "else": {"properties": of_any, "additionalProperties": False},
        }

    def item(self, axis: Axis) -> dict:
        """`name: {parameters}`; a name that has none is not offered in this form."""
        found = {v: {"type": "object"} | value(axis, c) for v, c in self.on(axis).items()}
        return {
            "type": "object",
            "properties": {
                v: rules | ({} if rules["properties"] else {"doNotSuggest": True})
                for v, rules in found.items()
            },
            "patternProperties": {FILE: {"type": "object"}},
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
        }


def value(axis: Axis, c: Component) -> dict:
    """What the mapping of a value may hold."""
    inside = {}
    if axis == LOSS:
        inside = {WEIGHT.key: ref(WEIGHT.path)}
    if axis == SAMPLER:
        inside = {a.key: rule(a, c) for a in RULES} | {OUTER.key: ref(OUTER.path)}
    return {
        "title": f"{axis.path}: {c.value}",
        "description": f"{c.title} ({c.paper})" if c.paper else c.title,
        "markdownDescription": f"`{c.value}`: {hover.of_value(axis, c)}",
        "properties": {p.name: number(p) for p in c.parameters} | inside,
        "additionalProperties": False,
    }


def rule(axis: Axis, sampler: Component) -> dict:
    """A rule of a sampler, which may not read it (X204)."""
    if axis.wire in {w for f in sampler.functions.values() for w in f.wires}:
        return ref(axis.path)
    told = f"sampler `{sampler.value}` reads no `{axis.key}`"
    return {"allOf": [ref(axis.path)], "deprecationMessage": told}


def samplers() -> dict:
    """One sampler, or names -> samplers. While no sampler is written, `kind` is offered too."""
    named = {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": NAME, "title": "name"},
        "additionalProperties": ref(SAMPLER.path),
        "if": {"additionalProperties": {"type": "null"}},
        "then": {"properties": {"kind": ref("sampler.values")}},
    }
    one = {"required": ["kind"]}
    return either(
        SAMPLER, {"type": "object", "if": one, "then": ref("sampler.kind"), "else": named}
    )
