"""The components that a spec can choose from: shipped ones and custom ones.

A value that ends in `.py` is the path of a custom component, relative to the spec: `process:
./window_mask.py`. Its name is the stem of the file.
"""

import builtins
import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import Axis, Components
from xlm_spec.compiler.components import LAW, Component, kind, values
from xlm_spec.compiler.declared_types import weighting
from xlm_spec.compiler.emit.objective import is_variable
from xlm_spec.compiler.frontend.custom.parse import custom_component, misspelt_names
from xlm_spec.compiler.frontend.custom.shared_types import SharedTypes
from xlm_spec.compiler.frontend.custom.source import text_of
from xlm_spec.compiler.frontend.load import Document, Path_
from xlm_spec.compiler.frontend.names import name_conflict
from xlm_spec.compiler.members import MODULE_ATTRIBUTES
from xlm_spec.compiler.middle.likelihood import rates
from xlm_spec.diagnostics import Diagnostic, Failed

PYTEST = ("conftest", "setup")
LONGEST = 60
NAME = re.compile("[a-z][a-z0-9]*(_[a-z0-9]+)*")


@dataclass
class Registry:
    """Components by axis and by the value in the spec."""

    custom: dict[str, Components] = field(default_factory=dict)  # by the folder of the axis
    types: tuple[Component, ...] = ()  # that custom files share, by file

    def components_of(self, axis: Axis) -> Components:
        return axes.components_of(axis) | self.custom.get(axis.folder, {})


def load_components(doc: Document) -> Registry:
    """The registry of a document. Raises Failed (X107, X109 to X119) for its files."""
    registry, found = Registry(), list[Diagnostic]()
    folder, named = Path(doc.file).parent, [*files_named(doc)]
    shared = SharedTypes(folder / written for _, _, written in named)
    failed = False
    for axis, path, written in named:
        components = registry.custom.setdefault(axis.folder, {})
        if written in components:
            continue
        try:
            components[written] = load_component(
                doc, axis, written, path, [c.value for c in components.values()], shared
            )
        except Failed as e:
            failed = True
            found += e.diagnostics
    found = found or misspelt_in(doc, registry)
    if found or failed:
        raise Failed({(d.file, d.span, d.message): d for d in found}.values())
    registry.types = shared.types(folder)
    for components in registry.custom.values():
        for written, c in components.items():
            components[written] = shared.without_shared(c, folder / written)
    return registry


def misspelt_in(doc: Document, registry: Registry) -> list[Diagnostic]:
    """X116 for misspelt names in declarations: of all targets, and of all functions of counts."""
    if not registry.custom:
        return []
    targets = [c.value for c in registry.components_of(axes.TARGET).values()]
    functions = [f for c in registry.components_of(axes.COUNT).values() for f in weighting(c)]
    functions += [f for c in registry.components_of(axes.PROCESS).values() for f in rates(c)]
    folder = Path(doc.file).parent
    custom = (c for components in registry.custom.values() for c in components.values())
    return [d for c in custom for d in misspelt_names(c, folder / c.file, targets, functions)]


def files_named(doc: Document) -> Iterator[tuple[Axis, Path_, str]]:
    """The files that the document names: axis, path and text of the value or of the item's key."""
    for path in doc.spans:
        value = doc.at(path)
        axis = axes.at(path, doc.values)
        if axis and isinstance(value, str) and value.endswith(".py"):
            yield axis, path, value
        if axis and axis.many and isinstance(value, dict):
            yield from ((axis, (*path, key), key) for key in value if key.endswith(".py"))


def load_component(
    doc: Document,
    axis: Axis,
    written: str,
    path: Path_,
    others: list[str],
    shared: SharedTypes,
) -> Component:
    """The component in a file that the spec names. Raises Failed."""
    file = Path(doc.file).parent / written

    def error(code: str, message: str, hint: str = "") -> Failed:
        return Failed(doc.diagnostic(code, message, path, hint, key=path[-1] == written))

    if not NAME.fullmatch(file.stem) or keyword.iskeyword(file.stem):
        hint = "use lower-case letters, digits and single underscores"
        raise error("X107", f"`{file.stem}` is not a valid name for {kind(axis.folder)}", hint)
    if is_variable(file.stem) or hasattr(builtins, file.stem):
        message = f"`{file.stem}` is a name in the generated code"
        raise error("X107", message, "rename the file")
    if axis is axes.HEAD and file.stem in MODULE_ATTRIBUTES:
        raise error("X107", f"every model has an attribute `{file.stem}`", "rename the file")
    if file.stem.endswith(LAW):
        other = f"{file.stem.removesuffix(LAW)}.py"
        raise error("X107", f"`{file.name}` is the name of the law file of `{other}`", "rename it")
    if len(file.stem) > LONGEST:
        message = f"the name of `{file.name}` is longer than {LONGEST} characters"
        raise error("X107", message, "rename the file")
    if file.stem in PYTEST or name_conflict(file.stem):
        message = f"`{file.stem}` is the name of another Python module"
        raise error("X107", message, "rename the file")
    if file.stem in (*values(axis.folder), *others):
        other = (
            "another file of this spec"
            if file.stem in others
            else f"a shipped component of `{axis.folder}`"
        )
        message = f"`{file.stem}` is already the name of {other}"
        raise error("X107", message, "rename the file")
    if not exists(file):
        hint = "the path is relative to the folder of the spec"
        raise error("X109", f"file `{written}` does not exist", hint)
    return replace(custom_component(file, axis.folder, shared), file=written, law=law_of(file))


def law_of(file: Path) -> str:
    """The text of the law file of a component, beside it or in `tests/`; "" without one.

    In a package it is in `tests/`. Raises Failed (X109).
    """
    name = f"{file.stem}{LAW}.py"
    files = (file.with_name(name), file.parent / "tests" / name)
    return next((text_of(f) for f in files if exists(f)), "")


def exists(file: Path) -> bool:
    try:
        return file.is_file()
    except OSError:  # an invalid file name
        return False
