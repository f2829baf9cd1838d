"""Components, read statically: what a file says of itself is in its syntax; none is imported.

A component is a Python module under `templates/components/<folder>/<value>.py`. Its definitions are
copied into packages as they stand; its signatures are its interface (see CONTRIBUTING.md).
"""

import ast
import re
import warnings
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from xlm_spec import ranges
from xlm_spec.ranges import Range

HERE = Path(__file__).parent.parent
TEMPLATES = HERE / "_templates"  # in the wheel
if not TEMPLATES.is_dir():
    TEMPLATES = HERE.parent / "templates"  # in a checkout
COMPONENTS = TEMPLATES / "components"

SHAPE = re.compile(r"\([BN](?:, [\w /+]+)*\)")
KNOWN_AS = re.compile(r"\n*^Also known as:(.*(?:\n    .+)*)", re.M)
SYNONYM = re.compile(r"([^\s,(]+)(?: \((.+?)\))?")


@dataclass(frozen=True)
class Parameter:
    """A number or switch of the spec: keyword-only in a component, or a field of its dataclass."""

    name: str
    type: str  # float, int, bool or str
    default: object
    meaning: str
    range: Range | None = None
    choices: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Function:
    """A signature: positional parameters are wires (name -> type), keyword-only ones parameters."""

    name: str
    wires: dict[str, str]
    parameters: tuple[Parameter, ...]
    returns: str
    doc: str

    @property
    def shape(self) -> str:
        """The first shape that the docstring names, such as (B, 1)."""
        found = SHAPE.search(self.doc)
        return found[0] if found else ""


@dataclass(frozen=True)
class Definition:
    """A top-level function or class, or a method that a package may go without."""

    name: str  # `corrupt`, `Backbone.open_cache`
    text: str
    node: ast.stmt

    @cached_property
    def names(self) -> frozenset[str]:
        """What it reads."""
        return frozenset(n.id for n in ast.walk(self.node) if isinstance(n, ast.Name))

    @cached_property
    def attributes(self) -> frozenset[tuple[str, str]]:
        """(x, y) for each x.y, x a plain name."""
        found = (n for n in ast.walk(self.node) if isinstance(n, ast.Attribute))
        return frozenset((n.value.id, n.attr) for n in found if isinstance(n.value, ast.Name))

    @cached_property
    def members(self) -> frozenset[str]:
        """Every y of ....y."""
        return frozenset(n.attr for n in ast.walk(self.node) if isinstance(n, ast.Attribute))


@dataclass(frozen=True)
class Component:
    """One value of an axis, or a library (`types`, `ops`)."""

    folder: str
    value: str
    title: str
    doc: str
    paper: str
    synonyms: dict[str, str]  # word of papers or other code -> parameters that go with it, or ""
    imports: dict[str, frozenset[str]]  # module -> names; "" -> modules imported whole
    definitions: dict[str, Definition]
    functions: dict[str, Function]
    fields: dict[str, tuple[Parameter, ...]]  # class -> its annotated fields
    types: dict[str, dict[str, str]]  # class -> field -> annotation
    methods: dict[str, dict[str, Function]]
    classes: dict[str, str]  # class -> its docstring
    constants: dict[str, Any] = field(default_factory=dict)
    file: str = ""  # of a spec's author, as the spec names it; "" for those that ship
    source: str = ""  # its text

    @property
    def path(self) -> str:
        return f"{self.folder}/{self.value}"

    @property
    def main(self) -> Function:
        """The function that is named like the file (many-of axes)."""
        return self.functions[self.value]

    @property
    def object(self) -> str:
        """The dataclass that ends up in Config (schedules and rules); "" where there is none."""
        return next(iter(self.fields), "")

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters that a spec may set, each once."""
        if self.folder == "backbone":
            return self.methods["Backbone"]["__init__"].parameters
        if not self.functions:
            return self.fields.get(self.object, ())
        found = {p.name: p for f in self.functions.values() for p in f.parameters}
        for f in self.functions.values():
            for p in f.parameters:
                assert found[p.name] == p, f"{self.path}: `{p.name}` is declared in two ways"
        return tuple(found.values())


@cache
def values(folder: str) -> tuple[str, ...]:
    """The values of an axis, from its files."""
    found = (p.stem for p in (COMPONENTS / folder).glob("*.py"))
    return tuple(sorted(v for v in found if v != "__init__"))


@cache
def component(folder: str, value: str) -> Component:
    """A shipped component; `folder` is "" for the libraries `types` and `ops`."""
    return read((COMPONENTS / folder / f"{value}.py").read_text(encoding="utf-8"), folder, value)


def parsed(text: str) -> ast.Module:
    """Python has opinions on what it parses (`\\d` in a string, `1 is x`); a linter tells them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def read(source: str, folder: str, value: str) -> Component:
    """What the source of a component says of itself."""
    tree, lines = parsed(source), source.split("\n")
    doc = ast.get_docstring(tree) or ""
    words = also_known_as(doc)
    imports: dict[str, set[str]] = {}
    definitions: dict[str, Definition] = {}
    functions, fields, types, methods, classes = {}, {}, {}, {}, {}
    constants: dict[str, Any] = {}
    for node in tree.body[1 if doc else 0 :]:
        match node:
            case ast.ImportFrom():
                module = "." * (1 if node.level else 0) + (node.module or "")
                imports.setdefault(module, set()).update(ast.unparse(a) for a in node.names)
            case ast.Import():
                imports.setdefault("", set()).update(ast.unparse(a) for a in node.names)
            case ast.FunctionDef():
                functions[node.name] = signature(node, lines, words)
                definitions[node.name] = definition(node, node.name, lines)
            case ast.ClassDef():
                classes[node.name] = ast.get_docstring(node) or ""
                definitions |= class_definitions(node, lines, prunable=folder == "backbone")
                methods[node.name] = {
                    m.name: signature(m, lines, words)
                    for m in node.body
                    if isinstance(m, ast.FunctionDef)
                }
                annotated = [n for n in node.body if isinstance(n, ast.AnnAssign)]
                types[node.name] = {name_of(n): ast.unparse(n.annotation) for n in annotated}
                if any("dataclass" in ast.unparse(d) for d in node.decorator_list):
                    own = words | also_known_as(classes[node.name])
                    fields[node.name] = tuple(
                        parameter(name_of(n), n.annotation, n.value, lines[n.lineno - 1], own)
                        for n in annotated
                    )
            case ast.Assign(targets=[ast.Name(id=name)]):
                constants[name] = ast.literal_eval(node.value)
            case _:
                raise AssertionError(f"{folder}/{value}.py:{node.lineno}: not part of a component")
    paper = re.search(r"^Paper: (.+)$", doc, re.M)
    return Component(
        folder=folder,
        value=value,
        title=doc.split("\n")[0].rstrip("."),
        doc=doc,
        paper=paper[1] if paper else "",
        synonyms=words.get("", {}),
        imports={m: frozenset(n) for m, n in imports.items()},
        definitions=definitions,
        functions=functions,
        fields=fields,
        types=types,
        methods=methods,
        classes=classes,
        constants=constants,
    )


Words = dict[str, dict[str, str]]


def also_known_as(doc: str) -> Words:
    """The words by which papers and other code call a thing ("") and its parameters.

    `Also known as: poly, cubic (power: 3)`, and below it, indented, `power: exponent, degree`.
    """
    found = KNOWN_AS.search(doc)
    out: Words = {}
    name = ""
    for line in found[1].splitlines() if found else ():
        stated = re.match(r"    (\w+): ", line)
        name = stated[1] if stated else name
        words = SYNONYM.findall(line[stated.end() :] if stated else line)
        out.setdefault(name, {}).update(words)
    return out


def without_synonyms(doc: str) -> str:
    """A docstring as far as it is prose."""
    return KNOWN_AS.sub("", doc)


def signature(node: ast.FunctionDef, lines: list[str], words: Words) -> Function:
    given = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    return Function(
        name=node.name,
        wires={
            a.arg: ast.unparse(a.annotation) if a.annotation else ""
            for a in node.args.args
            if a.arg != "self"
        },
        parameters=tuple(
            parameter(a.arg, a.annotation, d, lines[a.lineno - 1], words) for a, d in given
        ),
        returns=ast.unparse(node.returns) if node.returns else "",
        doc=ast.get_docstring(node) or "",
    )


def name_of(node: ast.AnnAssign) -> str:
    assert isinstance(node.target, ast.Name)
    return node.target.id


def parameter(
    name: str, annotation: ast.expr | None, default: ast.expr | None, line: str, words: Words
) -> Parameter:
    """From `steps: int = 128,  # of equal length; in [1, inf)`."""
    meaning, stated = ranges.split(line.partition("  # ")[2])
    assert annotation is not None, f"`{name}` has no type"
    kind, choices = ast.unparse(annotation), ()
    if kind.startswith("Literal["):
        kind, choices = "str", tuple(ast.literal_eval(f"({kind[8:-1]},)"))
    value = None if default is None else literal(default)
    return Parameter(name, kind, value, meaning, stated, choices, tuple(words.get(name, ())))


def literal(node: ast.expr) -> object:
    try:
        return ast.literal_eval(node)
    except ValueError:  # an object, as in the runtime's nested settings
        return None


def definition(node: ast.stmt, name: str, lines: list[str]) -> Definition:
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    return Definition(name, "\n".join(lines[first - 1 : node.end_lineno]), node)


def class_definitions(
    node: ast.ClassDef, lines: list[str], prunable: bool
) -> dict[str, Definition]:
    """A class; the public methods at its end that a package may go without are apart from it."""
    apart: list[ast.FunctionDef] = []
    for n in reversed(node.body if prunable else []):
        if not isinstance(n, ast.FunctionDef) or n.name in ("__init__", "forward"):
            break
        apart.insert(0, n)
    kept = [n for n in node.body if n not in apart]
    whole = ast.ClassDef(
        name=node.name,
        bases=node.bases,
        keywords=node.keywords,
        body=kept,
        decorator_list=node.decorator_list,
        lineno=node.lineno,
        end_lineno=kept[-1].end_lineno,
    )
    out = {node.name: definition(whole, node.name, lines)}
    return out | {
        f"{node.name}.{n.name}": definition(n, f"{node.name}.{n.name}", lines) for n in apart
    }
