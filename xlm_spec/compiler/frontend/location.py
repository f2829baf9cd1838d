"""The location of an error: the key or value, its surroundings, and what the language allows."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import Axis, components_of
from xlm_spec.compiler.components import Component
from xlm_spec.compiler.frontend.load import Document, Path_
from xlm_spec.compiler.frontend.synonyms import (
    Section,
    key_meant,
    language,
    meant,
    plain,
    sections_with,
)


@dataclass(frozen=True)
class Home:
    """The section to which an unknown key belongs."""

    section: Section
    key: str  # its name there
    path: Path_  # of the section in the spec, if present
    inside: bool  # is the section inside of the mapping that contains the key?

    @property
    def of_sampler(self) -> bool:
        """Is it in a sampler, and the key outside? A spec can have several samplers."""
        return self.section[:1] == axes.SAMPLER.parts and not self.inside


@dataclass(frozen=True)
class Location:
    """The location of a wrong or missing key, or of a wrong value."""

    doc: Document
    path: Path_
    of_key: bool
    section: Section  # of the mapping that contains the key; of the wrong value
    axis: Axis | None  # of the section
    around: Any  # the mapping or list that contains it
    value: Any  # the value of the key; the wrong value
    known: list = field(default_factory=list)  # allowed keys or values
    rules: dict = field(default_factory=dict)  # the schema of the value
    above: str = ""  # the key under which a key without indentation belongs

    @property
    def key(self) -> str:
        return str(self.path[-1]) if self.path else ""

    @property
    def written(self) -> str:
        """The value as written in the spec; "" if it has several lines."""
        return self.doc.written(self.path)

    @property
    def text(self) -> str:
        """The value as a word."""
        return self.written.strip("\"'") or str(self.value)

    @property
    def texts(self) -> list[str]:
        """The value, if it is a list of strings."""
        value = self.value if isinstance(self.value, list) else []
        return value if all(isinstance(v, str) for v in value) else []

    @cached_property
    def owner(self) -> Component | None:
        """The component that the surrounding mapping names with `kind`."""
        kind = self.around.get("kind") if isinstance(self.around, dict) else None
        value = meant(self.axis, kind)[0] if self.axis else ""
        return components_of(self.axis)[value] if self.axis and value else None

    @cached_property
    def called(self) -> str:
        """The allowed key that the key means; "" if there is none."""
        return key_meant(self.section, self.key, self.known)

    @cached_property
    def renamed(self) -> Axis | None:
        """The axis of `called`."""
        inside = axes.within(self.section) if self.called else []
        return next((a for a in inside if a.key == self.called), None)

    @cached_property
    def elsewhere(self) -> dict[Section, str]:
        """The other sections that have this key or a synonym of it; inner ones first."""
        here, n = self.section, len(self.section)
        skipped = {here, axes.GAPS.parts}  # gaps have the parameters of `tokens`, rarely meant
        if here == axes.SAMPLER.parts:  # do not suggest rules that this sampler does not use
            skipped |= {a.parts for a in axes.RULES if not self.reads(a)}
        found = {
            p: k for p, k in sections_with(self.key).items() if k != "kind" and p not in skipped
        }
        inner = {p: k for p, k in found.items() if here and p[:n] == here}
        outer = {p: k for p, k in found.items() if p[:1] != here[:1] or len(p) < n}
        top = {p: k for p, k in outer.items() if not p}  # a section before an option of a task
        return inner or top or outer

    @cached_property
    def home(self) -> Home | None:
        """The other section of the key, if there is only one."""
        if len(self.elsewhere) != 1:
            return None
        [(where, key)] = self.elsewhere.items()
        n = len(self.section)
        inside = n > 0 and where[:n] == self.section
        path = (*self.path[:-1], *where[n:]) if inside else where
        return Home(where, key, path, inside)

    @property
    def lacks_kind(self) -> bool:
        """Is `kind` missing in a mapping with other keys?"""
        return self.key == "kind" and bool(self.around)

    def reads(self, axis: Axis) -> bool:
        """Does the surrounding sampler use this rule? True for other axes."""
        kind = self.around.get("kind") if isinstance(self.around, dict) else None
        loop = components_of(axes.SAMPLER).get(kind) if isinstance(kind, str) else None
        wires = {w for f in loop.functions.values() for w in f.wires} if loop else {axis.wire}
        return axis not in axes.RULES or axis.wire in wires

    @property
    def note(self) -> str:
        """How the meaning of the key elsewhere differs, for the component of the mapping."""
        return self.owner.differs.get(plain(self.key), "") if self.owner else ""


def of_key(doc: Document, path: Path_, known: list[str], above: str = "") -> Location:
    """The location of a wrong key."""
    holder = path[:-1]
    where = section(doc, holder), axis_of(doc, holder), doc.at(holder)
    return Location(doc, path, True, *where, doc.at(path), known, above=above)


def of_missing(doc: Document, path: Path_) -> Location:
    """The location of a missing key."""
    return Location(
        doc, path, True, section(doc, path), axis_of(doc, path), doc.at(path[:-1]), None
    )


def of_value(doc: Document, path: Path_, known: list, rules: dict) -> Location:
    """The location of a wrong value."""
    where = section(doc, path), axis_of(doc, path), doc.at(path[:-1])
    return Location(doc, path, False, *where, doc.at(path), known, rules)


def section(doc: Document, path: Path_) -> Section:
    """The section of the mapping at a path."""
    axis = axis_of(doc, path)
    if axis and axes.is_clock(axis.key):
        return axes.SCHEDULE.parts
    return axis.parts if axis else tuple(p for p in path if isinstance(p, str))


def axis_of(doc: Document, path: Path_) -> Axis | None:
    """The axis of the value at a path, or of the parameters there."""
    inside = axes.at(path[:-1], doc.values)
    return axes.at(path, doc.values) or (inside if inside and inside.many else None)


def item_of(doc: Document, path: Path_) -> Axis | None:
    """The axis of the items at a path, which are named."""
    axis = axes.at(path, doc.values)
    return axis if axis and axis.many else None


def legal(doc: Document, path: Path_) -> dict[str, set[str]]:
    """The keys of the mapping at a path, with their synonyms."""
    return language().get(section(doc, path), {})
