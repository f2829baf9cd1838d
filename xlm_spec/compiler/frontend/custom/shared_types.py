"""Types that custom files import from files beside them: `from .gap_counts import GapCounts`.

The file is a component of the spec, or it holds nothing but types. The package defines each of
these types once, in types.py.
"""

import ast
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from xlm_spec.compiler.components import LAW, Component, component, parsed, read
from xlm_spec.compiler.frontend.custom.import_checks import ANY_LIBRARY, imported
from xlm_spec.compiler.frontend.custom.name_checks import before_definition, symbols, undefined
from xlm_spec.compiler.frontend.custom.parameter_checks import is_dataclass
from xlm_spec.compiler.frontend.custom.source import Finding, Source, not_python, text_of
from xlm_spec.compiler.frontend.names import name_conflict
from xlm_spec.diagnostics import Failed, alternatives

FOLDER = "types"  # of the components that hold shared types
ALLOWED = "allowed: imports, and classes that are a NamedTuple, a dataclass or a Protocol"
APART = "move the types that both need to a file of their own"


class SharedTypes:
    """The types that the files of one spec share.

    `chosen`: the files that the spec names; None if there is no spec, so that any file is allowed.
    """

    def __init__(self, chosen: Iterable[Path] | None = None):
        self.chosen = None if chosen is None else {p.resolve() for p in chosen}
        self.files: dict[Path, Component] = {}  # each after those that it imports from
        self.sources: dict[Path, Source] = {}
        self.used: dict[Path, set[str]] = {}  # the types that other files import
        self.cycles: set[frozenset[Path]] = set()

    # ---- reading ---------------------------------------------------------------------------------

    def linked(
        self, source: Source, tree: ast.Module, c: Component, above: tuple[Path, ...] = ()
    ) -> Component:
        """A component with the fields of the types that it imports. Raises Failed."""
        path = (*above, source.file.resolve())
        found: list[Finding] = []
        types, imports = dict(c.types), dict(c.imports)
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and node.level == 1:
                wrong = [*self.not_importable(source, node)][:1]
                other = None if wrong else self.read(source, node, path)
                if other:
                    wrong = [*self.not_shared(node, other, c)][:1]
                found += wrong
                if other and not wrong:
                    names = {a.name for a in node.names}
                    imports.pop(f".{node.module}", None)
                    imports[".types"] = imports.get(".types", frozenset()) | names
                    types |= {n: other.types[n] for n in names}
                    self.use(self.beside(source, node), other, names)
        if found:
            raise Failed(source.at(f) for f in found)
        return replace(c, types=types, imports=imports)

    def imported_by(self, source: Source, tree: ast.Module) -> dict[str, ast.ClassDef]:
        """The classes that a file imports from files beside it."""
        found: dict[str, ast.ClassDef] = {}
        for node in (n for n in tree.body if isinstance(n, ast.ImportFrom) and n.level == 1):
            defined = self.files[self.beside(source, node)].definitions
            nodes = {a.name: defined[a.name].node for a in node.names}
            found |= {n: c for n, c in nodes.items() if isinstance(c, ast.ClassDef)}
        return found

    def use(self, file: Path, other: Component, names: set[str]) -> None:
        """Notes that these types of a file are shared, with the types that they need."""
        while more := {n for d in names for n in other.definitions[d].names} & {*other.definitions}:
            if more <= names:
                break
            names = names | more
        self.used.setdefault(file, set()).update(names)

    def beside(self, source: Source, node: ast.ImportFrom) -> Path:
        return source.file.with_name(f"{node.module}.py").resolve()

    def is_chosen(self, file: Path) -> bool:
        return self.chosen is None or file in self.chosen

    def not_importable(self, source: Source, node: ast.ImportFrom) -> Iterator[Finding]:
        """Imports that name no file beside this one, or one that a package cannot have."""
        module = node.module or ""
        if not module or "." in module:
            message = f"a package has no module `.{module}`"
            yield "X113", node, message, "write `from .file import Type`"
            return
        renamed = next((a for a in node.names if a.asname or a.name == "*"), None)
        if renamed:
            message = f"`{renamed.name}` must be imported by its name: types are matched by names"
            yield "X113", node, message, "write `import Type`"
        if module in ANY_LIBRARY:
            message = f"a package has no module `.{module}`"
            yield "X113", node, message, f"write `..{module}`"
            return
        file = source.file.with_name(f"{module}.py")
        if not file.is_file():
            others = sorted(p.stem for p in file.parent.glob("*.py") if p != source.file)
            message = f"a package has no module `.{module}`: there is no `{file.name}` beside"
            listed = [f".{n}" for n in others if not n.endswith(LAW)]
            yield "X113", node, f"{message} this file", alternatives(f".{module}", listed)
        elif not self.is_chosen(file.resolve()) and (name_conflict(module) or module == "conftest"):
            yield "X107", node, f"`{module}` is the name of another Python module", "rename it"

    def read(self, source: Source, node: ast.ImportFrom, path: tuple[Path, ...]) -> Component:
        """The types of the file that an import names. Raises Failed."""
        file = self.beside(source, node)
        if file in path:
            pair = frozenset({file, source.file.resolve()})
            if pair in self.cycles:
                raise Failed([])  # reported
            self.cycles.add(pair)
            message = f"`{source.file.name}` and `{file.name}` import each other"
            raise Failed(source.at(("X113", node, message, APART)))
        if file not in self.files:
            self.files[file] = self.types_of(source.file.with_name(f"{node.module}.py"), path)
        return self.files[file]

    def types_of(self, file: Path, path: tuple[Path, ...]) -> Component:
        """The types of a file, each with the types that it needs. Raises Failed."""
        resolved = file.resolve()
        source = self.sources[resolved] = Source(file, text_of(file))
        try:
            tree, table = parsed(source.text), symbols(source.text)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as e:
            raise Failed([] if resolved in (self.chosen or ()) else not_python(source, e)) from None
        if not self.is_chosen(resolved):
            found = [*not_types(tree), *undefined(tree, table, FOLDER), *before_definition(tree)]
            if found:
                raise Failed(source.at(found[0]))
        try:
            c = read(source.text, FOLDER, file.stem)
        except (ValueError, AssertionError):
            raise Failed([]) from None  # a component, which is checked by itself
        c = self.linked(source, tree, c, path)
        kept = {n: d for n, d in c.definitions.items() if self.shareable(d.node, resolved)}
        return replace(c, definitions=kept, source="" if self.is_chosen(resolved) else source.text)

    def shareable(self, node: ast.AST, file: Path) -> bool:
        """Is it a type? A dataclass of a component is the component itself."""
        if not isinstance(node, ast.ClassDef):
            return False
        return is_record(node) or (is_dataclass(node) and not self.is_chosen(file))

    def not_shared(self, node: ast.ImportFrom, other: Component, c: Component) -> Iterator[Finding]:
        """Names that the file does not define, or that are not types on their own."""
        file = f"{node.module}.py"
        whole = component_names(other)
        for name in (a.name for a in node.names):
            if name in c.definitions:
                yield "X113", node, f"`{name}` is also defined in this file", "remove it here"
            elif name not in whole:
                message = f"`{file}` does not define `{name}`"
                yield "X113", node, message, alternatives(name, other.definitions)
            elif name not in other.definitions:
                message = f"`{name}` of `{file}` is not a type that files can share"
                yield "X113", node, message, "share a NamedTuple or a Protocol"
            else:
                yield from not_alone(node, other, name)

    # ---- the result ------------------------------------------------------------------------------

    def types(self, folder: Path) -> tuple[Component, ...]:
        """The shared types, by file. Raises Failed (X114) if two have one name."""
        found: list[Component] = []
        owners = dict.fromkeys(component("", "types").definitions, "the package's types.py")
        for file, c in self.files.items():
            used = {n: d for n, d in c.definitions.items() if n in self.used.get(file, ())}
            for name, definition in used.items():
                if name in owners:
                    message = f"name `{name}` is already used by {owners[name]}"
                    finding = ("X114", definition.node, message, f"rename `{name}` in your file")
                    raise Failed(self.sources[file].at(finding))
                owners[name] = f"`{file.name}`"
            place = Path(os.path.relpath(self.sources[file].file, folder)).as_posix()
            found.append(replace(c, definitions=used, file=place))
        self.check_imports(found)
        return tuple(found)

    def check_imports(self, found: list[Component]) -> None:
        """X114 if two files import different things under one name."""
        known: dict[str, str] = {}
        for c in found:
            used = {n for d in c.definitions.values() for n in d.names}
            for module, names in c.imports.items():
                for name in (n for n in names if n.split(" as ")[-1] in used):
                    bound = name.split(" as ")[-1]
                    if known.setdefault(bound, f"{module} {name}") != f"{module} {name}":
                        message = f"`{bound}` is imported from several modules by files of types"
                        source = next(s for s in self.sources.values() if s.file.stem == c.value)
                        raise Failed(source.at(("X114", None, message, "rename one import")))

    def without_shared(self, c: Component, file: Path) -> Component:
        """A component without the types that others import from it."""
        shared = self.used.get(file.resolve(), set())
        if not shared:
            return c
        imports = c.imports | {".types": c.imports.get(".types", frozenset()) | shared}
        kept = {n: d for n, d in c.definitions.items() if n not in shared}
        return replace(c, definitions=kept, imports=imports)


def is_record(node: ast.ClassDef) -> bool:
    """Is a class a NamedTuple or a Protocol?"""
    bases = {ast.unparse(b).rpartition(".")[2] for b in node.bases}
    return bool(bases & {"NamedTuple", "Protocol"})


def not_types(tree: ast.Module) -> Iterator[Finding]:
    """Statements that a file of types cannot have."""
    for i, node in enumerate(tree.body):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from imported(node, FOLDER)
        elif isinstance(node, ast.ClassDef) and (is_record(node) or is_dataclass(node)):
            continue
        elif not (i == 0 and isinstance(node, ast.Expr) and ast.get_docstring(tree)):
            message = "a file that the spec does not name can contain only types"
            yield "X111", node, message, ALLOWED


def component_names(c: Component) -> set[str]:
    """All names that the file of a component defines."""
    return {*c.functions, *c.classes, *c.constants}


def not_alone(node: ast.ImportFrom, other: Component, name: str) -> Iterator[Finding]:
    """A type whose definition needs something else of its file, or of the package."""
    todo, seen = {name}, set[str]()
    while todo:
        seen |= todo
        reads = {n for d in todo for n in other.definitions[d].names}
        libraries = {
            n for m, names in other.imports.items() for n in names if m in (".ops", ".layers")
        }
        wrong = sorted(reads & ((component_names(other) - {*other.definitions}) | libraries))
        if wrong:
            message = f"type `{name}` of `{other.value}.py` uses `{wrong[0]}`, which is not a type"
            yield "X113", node, message, "a shared type can use only types"
            return
        todo = (reads & {*other.definitions}) - seen
