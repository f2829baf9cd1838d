"""Numbers by dotted name: `backbone.layers` is the field `layers` of the field `backbone`."""

import dataclasses
import typing
from collections.abc import Iterator, Mapping

from xlm_spec import ranges
from xlm_spec.diagnostics import Diagnostic, Failed, alternatives
from xlm_spec.ranges import Range

Number = float | int | bool | str
KINDS = (
    *("kind", "process", "schedule", "time", "count", "target", "loss", "weight", "sampler"),
    *("sites", "tokens", "remasking", "outer"),
)


def flat(node: object, prefix: str = "") -> dict[str, Number]:
    """Dotted name -> number, of nested dataclasses or mappings; the vocabulary is left out."""
    if dataclasses.is_dataclass(node):
        items = {f.name: getattr(node, f.name) for f in dataclasses.fields(node)}
    elif isinstance(node, Mapping):
        items = dict(node)
    else:
        return {prefix[:-1]: typing.cast(Number, node)}
    items.pop("vocab", None)
    return {k: v for name, item in items.items() for k, v in flat(item, f"{prefix}{name}.").items()}


def nested(numbers: Mapping[str, Number]) -> dict:
    out: dict = {}
    for key, value in numbers.items():
        *path, last = key.split(".")
        node = out
        for part in path:
            node = node.setdefault(part, {})
        node[last] = value
    return out


def overridden(node, values: Mapping[str, Number], prefix: str = ""):
    """A dataclass with other numbers, at any depth."""
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
    """Every number that a run has, by dotted name: what it is now, and what it may be."""

    def __init__(self, *parts: tuple[str, object]):
        """Of dataclasses, each with the prefix of its names."""
        self.now: dict[str, Number] = {}
        self.within: dict[str, Range] = {}
        self.words: dict[str, tuple[str, ...]] = {}  # of those that are one of a few words
        for prefix, part in parts:
            self.now |= flat(part, prefix)
            for place, kind in kinds(part, prefix):
                self.within |= {f"{place}{k}": r for k, r in ranges.of_fields(kind).items()}
                self.words |= {f"{place}{k}": w for k, w in words(kind).items()}

    def converted(self, key: str, value: object) -> Number:
        """A value in the type of its number. Raises Failed: X601 unknown, X602 bad, X603 a kind."""
        if key not in self.now:
            raise self.unknown(key)
        now = self.now[key]
        try:
            number = parsed(value, type(now))
        except (ValueError, TypeError, OverflowError):
            told = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}
            bad = f"`{key}` is {told[type(now)]}, not `{value}`"
            raise Failed(Diagnostic("X602", bad, f"now {now}")) from None
        if number not in self.words.get(key, (number,)):
            hint = alternatives(number, self.words[key])
            raise Failed(Diagnostic("X602", f"`{key}` is not `{number}`", hint))
        if key in self.within and number not in self.within[key]:
            bad = f"`{key}` = {number} lies outside {self.within[key]}"
            raise Failed(Diagnostic("X602", bad, f"now {now}"))
        return number

    def unknown(self, key: str) -> Failed:
        last = key.rpartition(".")[2]
        if last in KINDS and (last == "kind" or any(k.startswith(f"{key}.") for k in self.now)):
            told = f"`{key}` is a kind, which no run can change"
            return Failed(Diagnostic("X603", told, "change the spec and build it again"))
        hint = alternatives(key, self.now)
        return Failed(Diagnostic("X601", f"no number is called `{key}`", hint))


def kinds(node: object, prefix: str) -> Iterator[tuple[str, type]]:
    """Every dataclass in a nest of them, and the prefix of its numbers."""
    if not dataclasses.is_dataclass(node) or prefix == "vocab.":
        return
    yield prefix, type(node)
    for f in dataclasses.fields(node):
        yield from kinds(getattr(node, f.name), f"{prefix}{f.name}.")


def words(kind: type) -> dict[str, tuple[str, ...]]:
    """The fields of a dataclass that are one of a few words, and these words."""
    return {
        k: typing.get_args(hint)
        for k, hint in typing.get_type_hints(kind).items()
        if typing.get_origin(hint) is typing.Literal
    }


def parsed(value: object, wanted: type) -> Number:
    """Raises ValueError, TypeError or OverflowError where the value is not of that type."""
    if wanted is bool:
        words = {"true": True, "false": False}
        if str(value).lower() not in words:
            raise ValueError
        return words[str(value).lower()]
    if isinstance(value, bool):
        raise ValueError
    if wanted is int and isinstance(value, float) and value != int(value):
        raise ValueError
    return wanted(value)  # type: ignore[call-arg]
