"""What a spec may choose from: the components that ship, and files of its author's own.

A value that ends in `.py` is the path of a file, seen from the spec's folder: `process:
./window_mask.py`. It is called by its stem from then on.
"""

import builtins
import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import Axis, Cards
from xlm_spec.compiler.components import Component, values
from xlm_spec.compiler.form.load import Document, Path_
from xlm_spec.compiler.form.names import hides
from xlm_spec.compiler.own.reading import own
from xlm_spec.diagnostics import Diagnostic, Failed

LOCAL = {  # what the lines of a package are written in
    *("model", "x", "config", "rng", "vocab", "schedule", "t", "chosen", "z", "hidden", "target"),
    *("weight", "rate", "nats", "terms", "objective", "state", "start", "sample", "torch"),
}
PYTEST = ("conftest", "setup")
LONGEST = 60
NAME = re.compile("[a-z][a-z0-9]*(_[a-z0-9]+)*")


@dataclass
class Shelf:
    """Components by axis and by what a spec calls them."""

    own: dict[str, Cards] = field(default_factory=dict)  # by the folder of an axis

    def cards(self, axis: Axis) -> Cards:
        return axes.cards(axis) | self.own.get(axis.folder, {})


def stocked(doc: Document) -> Shelf:
    """The shelf of a document. Raises Failed (X107, X109–X113) for its files."""
    shelf, found = Shelf(), list[Diagnostic]()
    for axis, path, written in mentioned(doc):
        mine = shelf.own.setdefault(axis.folder, {})
        if written in mine:
            continue
        try:
            mine[written] = taken(doc, axis, written, path, [c.value for c in mine.values()])
        except Failed as e:
            found += e.diagnostics
    if found:
        raise Failed(found)
    return shelf


def mentioned(doc: Document) -> Iterator[tuple[Axis, Path_, str]]:
    """Where the document names a file as a value of an axis: as a value, or as an item's key."""
    for path in doc.spans:
        value = doc.at(path)
        axis = axis_of(doc, path)
        if axis and isinstance(value, str) and value.endswith(".py"):
            yield axis, path, value
        if axis in (axes.TARGET, axes.LOSS) and axis and isinstance(value, dict):
            yield from ((axis, (*path, key), key) for key in value if key.endswith(".py"))


def axis_of(doc: Document, path: Path_) -> Axis | None:
    """The axis whose value stands at a path, alone or as `kind`."""
    match path[:-1] if path[-1:] == ("kind",) else path:
        case ["noise", key]:
            return next((a for a in axes.NOISE if a.key == key), None)
        case ["target"] | ["target", int()]:
            return axes.TARGET
        case ["loss"] | ["loss", int()]:
            return axes.LOSS
        case ["loss", *_, str(), axes.WEIGHT.key]:
            return axes.WEIGHT
        case ["sampler", *rest]:
            named = isinstance(doc.at(("sampler",)), dict) and "kind" not in doc.at(("sampler",))
            inner = rest[1:] if named else rest
            rules = {a.key: a for a in (*axes.RULES, axes.OUTER)}
            return rules.get(str(inner[0])) if len(inner) == 1 else None if inner else axes.SAMPLER
        case ["backbone"]:
            return axes.BACKBONE
        case _:
            return None


def taken(doc: Document, axis: Axis, written: str, path: Path_, others: list[str]) -> Component:
    """The component in a file that a spec names. Raises Failed."""
    file = Path(doc.file).parent / written

    def refused(code: str, told: str, hint: str = "") -> Failed:
        return Failed(doc.diagnostic(code, told, path, hint, key=path[-1] == written))

    if not NAME.fullmatch(file.stem) or keyword.iskeyword(file.stem):
        hint = "small letters and digits, joined by _"
        raise refused("X107", f"`{file.stem}` is no name for a {axis.folder}", hint)
    if file.stem in LOCAL or hasattr(builtins, file.stem):
        told = f"`{file.stem}` is a name that the package's own code needs"
        raise refused("X107", told, "rename the file")
    if len(file.stem) > LONGEST or file.stem in PYTEST or hides(file.stem):
        told = f"a package can't carry a file called `{file.name}`"
        raise refused("X107", told, "rename it: too long, or it would hide another module")
    if file.stem in (*values(axis.folder), *others):
        whose = "another file of this spec" if file.stem in others else "one that ships"
        told = f"`{file.stem}` is the name of {whose} already"
        raise refused("X107", told, "rename the file")
    if not exists(file):
        raise refused("X109", f"there is no file `{written}`", "a path starts at the spec's folder")
    return replace(own(file, axis.folder), file=written)


def exists(file: Path) -> bool:
    try:
        return file.is_file()
    except OSError:  # of a name that no file can have
        return False
