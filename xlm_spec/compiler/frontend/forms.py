"""The forms of a choice in a spec, as JSON Schema: a name, a mapping with parameters, or a list.

Some keywords are for editors only: `markdownDescription`, `markdownEnumDescriptions`,
`doNotSuggest`, and `deprecationMessage`, which they show at such a key. Editors complete values
from `enum` and `anyOf`, but not from `then` and `else`.
"""

import re
from collections.abc import Callable
from math import isfinite

from xlm_spec.compiler.axes import (
    AROUND,
    AXES,
    LOSS,
    OF,
    SAMPLER,
    TARGET,
    WEIGHT,
    Axis,
    Components,
    components_of,
    within,
)
from xlm_spec.compiler.components import Component, Parameter
from xlm_spec.compiler.frontend import hover
from xlm_spec.compiler.frontend.synonyms import custom_file

TYPES = {"float": "number", "int": "integer", "bool": "boolean", "str": "string"}
ComponentsOf = Callable[[Axis], Components]
FILE = r"\.py$"  # the file of a custom component
OF_MEANING = "the target of this loss, if several targets have the type that it requires"
CUSTOM = {"type": "string", "pattern": FILE}
NUMBER = {"type": "number", "minimum": 0}  # a weight: below zero a loss would be maximised
NAME = "^[a-z][a-z0-9]*(_[a-z0-9]+)*$"


def ref(name: str) -> dict:
    return {"$ref": f"#/$defs/{name}"}


def number(p: Parameter) -> dict:
    """The schema of a parameter."""
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
    """A name, a mapping, a list or a number, or the file of a custom component.

    `faults` relies on this order. `registry` has already reported errors in files.
    """
    return described(axis) | {"anyOf": [ref(f"{axis.path}.values"), *forms, CUSTOM]}


class Forms:
    """The forms of all axes; `on` returns the components of an axis."""

    def __init__(self, on: ComponentsOf = components_of):
        self.on = on

    def definitions(self) -> dict:
        """The definitions (`$defs`) of the schema."""
        found = {f"{a.path}.values": self.names(a) for a in AXES}
        found |= {a.path: self.one_of(a) for a in AXES if len(a.parts) > 1}
        found |= {a.path: either(a, self.item(a)) for a in AXES if a.many}
        found |= {f"{a.path}.list": self.one_or_many(a) for a in AXES if a in AROUND}
        found["sampler.kind"] = self.mapping(SAMPLER)
        found[SAMPLER.path] = either(SAMPLER, ref("sampler.kind"))
        return found

    def section(self, axis: Axis) -> dict:
        """An axis that is a section of the spec."""
        if axis is SAMPLER:
            return samplers()
        return self.one_or_many(axis) if axis.many else self.one_of(axis)

    def names(self, axis: Axis) -> dict:
        """The values of an axis."""
        found = self.on(axis)
        if not found:
            return described(axis) | CUSTOM | {"patternErrorMessage": custom_file(axis)}
        return described(axis) | {
            "enum": list(found),
            "markdownEnumDescriptions": [hover.of_value(axis, c) for c in found.values()],
        }

    def one_of(self, axis: Axis) -> dict:
        """A value, or a mapping with `kind` and the parameters of that value; or a number."""
        return either(axis, self.mapping(axis), *([NUMBER] if axis is WEIGHT else []))

    def one_or_many(self, axis: Axis) -> dict:
        """An item, or a list of them; in a sampler also one mapping with `kind`."""
        many = {"type": "array", "minItems": 1, "items": ref(axis.path)}
        one = self.item(axis)
        if axis in AROUND:
            one = {
                "type": "object",
                "if": {"required": ["kind"]},
                "then": self.mapping(axis),
                "else": one,
            }
        return either(axis, one, many)

    def mapping(self, axis: Axis) -> dict:
        """`kind`, and the parameters of that kind.

        The kind is matched by a pattern: editors accept `const: rotary_timed` for `rotary` while
        one types.
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
        if axis == SAMPLER:  # rules are checked even if the kind is unknown
            inside = {a.key: ref(inner(a)) for a in within(axis.parts)}
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
        """`name: {parameters}`; editors do not suggest this form without parameters."""
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
    """The schema of the mapping of a value."""
    inside = {a.key: rule(a, c) for a in within(axis.parts)}
    inside |= {OF: named_target()} if axis is LOSS else {}
    return {
        "title": f"{axis.path}: {c.value}",
        "description": f"{c.title} ({c.paper})" if c.paper else c.title,
        "markdownDescription": f"`{c.value}`: {hover.of_value(axis, c)}",
        "properties": {p.name: number(p) for p in c.parameters} | inside,
        "additionalProperties": False,
    }


def named_target() -> dict:
    """The target that a loss names: a shipped one, or the stem of a custom file."""
    shipped = components_of(TARGET)
    title = f"{LOSS.path}.{OF}"
    return {
        "title": title,
        "type": "string",
        "description": OF_MEANING,
        "markdownDescription": hover.sentence(OF_MEANING),
        "anyOf": [
            {
                "title": title,
                "enum": list(shipped),
                "markdownEnumDescriptions": [hover.of_value(TARGET, c) for c in shipped.values()],
            },
            {"title": "custom", "not": {"enum": list(shipped)}},
        ],
    }


def inner(axis: Axis) -> str:
    """The definition of an axis inside a value."""
    return f"{axis.path}.list" if axis in AROUND else axis.path


def rule(axis: Axis, c: Component) -> dict:
    """An axis inside a value; an editor warns if the sampler does not use it (X204)."""
    if not axis.wire or axis.wire in {w for f in c.functions.values() for w in f.wires}:
        return ref(inner(axis))
    message = f"sampler `{c.value}` does not use `{axis.key}`"
    return {"allOf": [ref(axis.path)], "deprecationMessage": message}


def samplers() -> dict:
    """One sampler, or names -> samplers. Editors suggest `kind` until a sampler is written."""
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
