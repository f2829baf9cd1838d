"""Settings by dotted name: `backbone.layers` is the field `layers` of the field `backbone`."""

import dataclasses
import typing
from collections.abc import Iterator, Mapping

from xlm_spec import ranges
from xlm_spec.diagnostics import Diagnostic, Failed, alternatives, nearest
from xlm_spec.ranges import Range
from xlm_spec.runtime.config import choices
from xlm_spec.runtime.config.settings import NAMES
from xlm_spec.runtime.config.spec_keys import PARAMETERS, is_axis

Setting = float | int | bool | str | dict | tuple
TYPES = {int: "an integer", float: "a number", bool: "true or false", str: "a string"}


def flat(node: object, prefix: str = "") -> dict[str, Setting]:
    """Dotted name -> value of nested dataclasses or mappings, without the vocabulary.

    A mapping with `kind` is one value.
    """
    if dataclasses.is_dataclass(node):
        items = {f.name: getattr(node, f.name) for f in dataclasses.fields(node)}
    elif isinstance(node, Mapping) and not (prefix and "kind" in node):
        items = dict(node)
    else:
        return {prefix[:-1]: typing.cast(Setting, node)}
    items.pop("vocab", None)
    return {k: v for name, item in items.items() for k, v in flat(item, f"{prefix}{name}.").items()}


def nested(settings: Mapping[str, Setting]) -> dict:
    """The inverse of `flat`."""
    out: dict = {}
    for key, value in settings.items():
        *path, last = key.split(".")
        node = out
        for part in path:
            node = node.setdefault(part, {})
        node[last] = value
    return out


def overridden(node, values: Mapping[str, Setting], prefix: str = ""):
    """A dataclass with other values, at any depth."""
    new = {}
    for f in dataclasses.fields(node):
        item = getattr(node, f.name)
        if f.name == "vocab":
            continue
        if dataclasses.is_dataclass(item):
            new[f.name] = overridden(item, values, f"{prefix}{f.name}.")
        elif f"{prefix}{f.name}" in values:
            new[f.name] = values[f"{prefix}{f.name}"]
    return dataclasses.replace(node, **new)


class Known:
    """Every setting of a run by dotted name: its default, its range and its allowed values."""

    def __init__(self, *parts: tuple[str, object]):
        """`parts`: dataclasses, each after the prefix of its names."""
        self.defaults: dict[str, Setting] = {}
        self.ranges: dict[str, Range] = {}
        self.allowed: dict[str, tuple[str, ...]] = {}  # for fields of type Literal
        for prefix, part in parts:
            self.defaults |= flat(part, prefix)
            for inner, kind in dataclasses_in(part, prefix):
                self.ranges |= {f"{inner}{k}": r for k, r in ranges.of_fields(kind).items()}
                self.allowed |= {f"{inner}{k}": v for k, v in literals(kind).items()}

    def converted(self, key: str, value: object) -> Setting:
        """A value in the type of its setting. Raises Failed: X601 unknown, X602 bad, X603 axis."""
        if key not in self.defaults:
            raise self.unknown(key)
        default = self.defaults[key]
        if key in NAMES:
            return choices.converted(key, value, many=isinstance(default, tuple))
        try:
            converted = parsed(value, type(default))
        except (ValueError, TypeError, OverflowError):
            message = f"`{key}` must be {TYPES[type(default)]}, not `{value}`"
            raise Failed(Diagnostic("X602", message, f"default: {default}")) from None
        if converted not in self.allowed.get(key, (converted,)):
            message = f"`{key}` cannot be `{converted}`"
            raise Failed(Diagnostic("X602", message, alternatives(converted, self.allowed[key])))
        if key in self.ranges and converted not in self.ranges[key]:
            message = f"`{key}` = {converted} lies outside {self.ranges[key]}"
            raise Failed(Diagnostic("X602", message, f"default: {default}"))
        return converted

    def unknown(self, key: str) -> Failed:
        section = key.partition(".")[0] in PARAMETERS
        inside = section and any(k.startswith(f"{key}.") for k in self.defaults)
        if is_axis(key) or (inside and key != "noise"):
            message = f"`{key}` is a choice of the spec, which a run cannot change"
            return Failed(Diagnostic("X603", message, "change the spec and build it again"))
        return Failed(Diagnostic("X601", f"unknown setting `{key}`", self.instead(key)))

    def instead(self, key: str) -> str:
        """The hint for an unknown setting: the most similar one, and those of its section."""
        ends = [k for k in self.defaults if k.endswith(f".{key}")]
        if len(ends) > 1:
            return f"write one of: {', '.join(ends)}"
        meant = ends[0] if ends else nearest(key, self.defaults)
        section = (meant or key).partition(".")[0]
        listed = [k for k in self.defaults if k.partition(".")[0] == section]
        sections = dict.fromkeys(k.partition(".")[0] for k in self.defaults)
        hint = f"allowed: {', '.join(listed)}" if listed else f"sections: {', '.join(sections)}"
        return f"did you mean `{meant}`? {hint}" if meant else hint


def dataclasses_in(node: object, prefix: str) -> Iterator[tuple[str, type]]:
    """The prefix and the type of each nested dataclass."""
    if not dataclasses.is_dataclass(node) or prefix == "vocab.":
        return
    yield prefix, type(node)
    for f in dataclasses.fields(node):
        yield from dataclasses_in(getattr(node, f.name), f"{prefix}{f.name}.")


def literals(kind: type) -> dict[str, tuple[str, ...]]:
    """The allowed values of the Literal fields of a dataclass."""
    return {
        k: typing.get_args(hint)
        for k, hint in typing.get_type_hints(kind).items()
        if typing.get_origin(hint) is typing.Literal
    }


def parsed(value: object, kind: type) -> Setting:
    """Raises ValueError, TypeError or OverflowError if the value is not of that type."""
    if kind is bool:
        words = {"true": True, "false": False}
        if str(value).lower() not in words:
            raise ValueError
        return words[str(value).lower()]
    if isinstance(value, bool):
        raise ValueError
    if kind is int and isinstance(value, float) and value != int(value):
        raise ValueError
    return kind(value)  # type: ignore[call-arg]
