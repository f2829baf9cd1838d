"""Components, read from their syntax; none is imported.

A component is a Python module `templates/components/<folder>/<value>.py`. Packages contain copies
of its definitions; its signatures are its interface (see CONTRIBUTING.md).
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
LAW = "_law"  # `<value>_law.py`, beside a component, holds its laws (xlm_spec/laws)

NETWORKS = ("backbone", "head")  # whose parameters are those of the `__init__` of a class

SHAPE = re.compile(r"\([BN](?:, [\w /+]+)*\)")
KNOWN_AS = re.compile(r"\n*^Also known as:(.*(?:\n    .+)*)", re.M)
SYNONYM = re.compile(r"([^\s,(]+)(?:\s\((.+?)\))?")
DIFFERS = re.compile(r"\n*^Differs:((?:\n    .+)+)", re.M)


@dataclass(frozen=True)
class Parameter:
    """A parameter of the spec: keyword-only in a component, or a field of its dataclass."""

    name: str
    type: str  # float, int, bool or str
    default: object
    meaning: str
    range: Range | None = None
    choices: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()

    def accepts(self, value: object) -> bool:
        """Does a value have the right type, and is it in the range?"""
        kinds = {"float": (int, float), "int": (int,), "bool": (bool,)}.get(self.type, (str,))
        if not isinstance(value, kinds) or (isinstance(value, bool) and self.type != "bool"):
            return False
        return (not self.choices or value in self.choices) and (
            self.range is None or value in self.range
        )

    @property
    def allowed(self) -> str:
        """The allowed values, in words."""
        if self.choices:
            return " or ".join(f'"{c}"' for c in self.choices)
        return f"{self.type} in {self.range}" if self.range else self.type


@dataclass(frozen=True)
class Function:
    """A signature: positional parameters are wires (name -> type), keyword-only ones parameters.

    A wire is a value that one component provides and another requires (`middle/wires`).
    """

    name: str
    wires: dict[str, str]
    parameters: tuple[Parameter, ...]
    returns: str
    doc: str
    defaults: dict[str, str] = field(default_factory=dict)  # of wires that a method can do without

    @property
    def shape(self) -> str:
        """The first shape in the docstring, such as (B, 1)."""
        found = SHAPE.search(self.doc)
        return found[0] if found else ""


@dataclass(frozen=True)
class Definition:
    """A top-level function or class, an optional method, or a constant that one of them uses."""

    name: str  # `corrupt`, `Backbone.open_cache`
    text: str
    node: ast.stmt

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """All nodes of its syntax tree."""
        return tuple(ast.walk(self.node))

    @cached_property
    def calls(self) -> tuple[tuple[str, ast.Call], ...]:
        """(x, call) for each call x(...), where x is any expression."""
        found = (n for n in self.nodes if isinstance(n, ast.Call))
        return tuple((ast.unparse(n.func), n) for n in found)

    @cached_property
    def names(self) -> frozenset[str]:
        """The names that it uses."""
        return frozenset(n.id for n in self.nodes if isinstance(n, ast.Name))

    @cached_property
    def attributes(self) -> frozenset[tuple[str, str]]:
        """(x, y) for each x.y where x is a name."""
        found = (n for n in self.nodes if isinstance(n, ast.Attribute))
        return frozenset((n.value.id, n.attr) for n in found if isinstance(n.value, ast.Name))

    @cached_property
    def members(self) -> frozenset[str]:
        """The attributes that it uses, of any object."""
        return frozenset(n.attr for n in self.nodes if isinstance(n, ast.Attribute))


@dataclass(frozen=True)
class Component:
    """One value of an axis, or a library (`types`, `ops`)."""

    folder: str
    value: str
    title: str
    doc: str
    paper: str
    synonyms: dict[str, str]  # word of papers or other code -> the parameters that it implies
    differs: dict[str, str]  # such a word -> how its meaning elsewhere differs
    imports: dict[str, frozenset[str]]  # module -> names; "" -> modules
    definitions: dict[str, Definition]
    functions: dict[str, Function]
    fields: dict[str, tuple[Parameter, ...]]  # class -> its annotated fields
    types: dict[str, dict[str, str]]  # class -> field -> annotation
    methods: dict[str, dict[str, Function]]
    classes: dict[str, str]  # class -> its docstring
    bases: dict[str, tuple[str, ...]]  # class -> its bases
    constants: dict[str, Any] = field(default_factory=dict)
    file: str = ""  # of a custom component, as the spec names it; "" if shipped
    source: str = ""  # of a custom component
    law: str = ""  # the text of the law file of a custom component

    @property
    def path(self) -> str:
        return f"{self.folder}/{self.value}"

    @property
    def main(self) -> Function:
        """The function that is named like the file (targets, losses, weights)."""
        return self.functions[self.value]

    @property
    def object(self) -> str:
        """The dataclass that Config contains (schedules and rules); "" if there is none."""
        return next(iter(self.fields), "")

    @property
    def wrapper(self) -> str:
        """The class of a wrap that stands in for the model; "" for a loop around a sampler."""
        if self.folder != "wrap" or "windows" in self.functions:
            return ""
        called = {n: m for n, m in self.methods.items() if "__call__" in m}
        built = [n for n, defined in called.items() if "__init__" in defined]
        return next((n for n in built if "model" in called[n]["__init__"].wires), "") or next(
            iter([*built, *called]), ""
        )

    @property
    def network(self) -> str:
        """The class of a backbone or a head; "" in a head that shares the class of another one."""
        if self.folder == "backbone":
            return "Backbone"
        return next(iter(self.modules), "")

    @property
    def modules(self) -> list[str]:
        """The classes that derive from `nn.Module`."""
        nodes = {n: d.node for n, d in self.definitions.items() if isinstance(d.node, ast.ClassDef)}
        return [n for n, c in nodes.items() if any(is_module(b) for b in c.bases)]

    @property
    def build(self) -> Function:
        """The `__init__` of a backbone or a head."""
        return self.methods[self.network]["__init__"]

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters that a spec can set, each once."""
        if self.folder in NETWORKS:
            return self.build.parameters if self.network else ()
        if self.wrapper:
            return self.methods[self.wrapper]["__init__"].parameters
        if not self.functions:
            return self.fields.get(self.object, ())
        found = {p.name: p for f in self.functions.values() for p in f.parameters}
        for f in self.functions.values():
            for p in f.parameters:
                assert found[p.name] == p, f"{self.path}: `{p.name}` has two different declarations"
        return tuple(found.values())


def is_module(base: ast.expr) -> bool:
    """Is a base class `nn.Module`?"""
    return ast.unparse(base) in ("Module", "nn.Module", "torch.nn.Module")


def kind(folder: str) -> str:
    """A component of this folder, in messages: `a process`, `an order rule`."""
    rule = " rule" * (folder in ("order", "tokens", "stop", "remasking"))
    return f"{'an' if folder[0] in 'aeiou' else 'a'} {folder.replace('_', '-')}{rule}"


@cache
def values(folder: str) -> tuple[str, ...]:
    """The shipped values of an axis, from its files."""
    found = (p.stem for p in (COMPONENTS / folder).glob("*.py"))
    return tuple(sorted(v for v in found if v != "__init__" and not v.endswith(LAW)))


@cache
def component(folder: str, value: str) -> Component:
    """A shipped component; `folder` is "" for the libraries `types` and `ops`."""
    return read((COMPONENTS / folder / f"{value}.py").read_text(encoding="utf-8"), folder, value)


def parsed(text: str) -> ast.Module:
    """The syntax tree, without Python's warnings (`\\d` in a string, `1 is x`)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def read(source: str, folder: str, value: str) -> Component:
    """The component in a source text."""
    tree, lines = parsed(source), source.split("\n")
    doc = ast.get_docstring(tree) or ""
    words = also_known_as(doc)
    imports: dict[str, set[str]] = {}
    definitions: dict[str, Definition] = {}
    functions, fields, types, methods, classes, bases = {}, {}, {}, {}, {}, {}
    constants: dict[str, Any] = {}
    lines_of: dict[str, Definition] = {}  # of constants
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
                bases[node.name] = tuple(map(ast.unparse, node.bases))
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
                lines_of[name] = definition(node, name, lines)
            case _:
                raise AssertionError(f"{folder}/{value}.py:{node.lineno}: invalid statement")
    used = {n for d in definitions.values() for n in d.names}
    definitions = {n: d for n, d in lines_of.items() if n in used} | definitions
    paper = re.search(r"^Paper: (.+)$", doc, re.M)
    return Component(
        folder=folder,
        value=value,
        title=doc.split("\n")[0].rstrip("."),
        doc=doc,
        paper=paper[1] if paper else "",
        synonyms=words.get("", {}),
        differs=differences(doc),
        imports={m: frozenset(n) for m, n in imports.items()},
        definitions=definitions,
        functions=functions,
        fields=fields,
        types=types,
        methods=methods,
        classes=classes,
        bases=bases,
        constants=constants,
    )


Words = dict[str, dict[str, str]]


def also_known_as(doc: str) -> Words:
    """The words of papers and other code for a value ("") and for its parameters.

    `Also known as: poly, square (power: 2)`, then indented lines such as `power: exponent, degree`.
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


def differences(doc: str) -> dict[str, str]:
    """The words that mean something else in other code, each with the difference.

    `Differs:`, then indented lines such as `quadratic, cubic: (1 - t)^n is not available; ...`. A
    line that is indented twice continues the line above.
    """
    found = DIFFERS.search(doc)
    out: dict[str, str] = {}
    for entry in re.split(r"\n    (?! )", found[1])[1:] if found else ():
        words, _, note = " ".join(entry.split()).partition(": ")
        out |= dict.fromkeys(words.split(", "), note)
    return out


def without_synonyms(doc: str) -> str:
    """A docstring without its synonyms."""
    return KNOWN_AS.sub("", doc)


def signature(node: ast.FunctionDef, lines: list[str], words: Words) -> Function:
    given = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    optional = node.args.args[len(node.args.args) - len(node.args.defaults) :]
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
        defaults={a.arg: ast.unparse(d) for a, d in zip(optional, node.args.defaults, strict=True)},
    )


def name_of(node: ast.AnnAssign) -> str:
    assert isinstance(node.target, ast.Name)
    return node.target.id


def parameter(
    name: str, annotation: ast.expr | None, default: ast.expr | None, line: str, words: Words
) -> Parameter:
    """The parameter in a line such as `steps: int = 128,  # of equal length; in [1, inf)`."""
    meaning, stated = ranges.split(line.partition("  # ")[2])
    kind, choices = ast.unparse(annotation) if annotation else "", ()
    if kind.startswith("Literal["):
        kind, choices = "str", tuple(ast.literal_eval(f"({kind[8:-1]},)"))
    value = None if default is None else literal(default)
    return Parameter(name, kind, value, meaning, stated, choices, tuple(words.get(name, ())))


def literal(node: ast.expr) -> object:
    try:
        return ast.literal_eval(node)
    except ValueError:  # an object, as in nested settings of the runtime
        return None


def definition(node: ast.stmt, name: str, lines: list[str]) -> Definition:
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    return Definition(name, "\n".join(lines[first - 1 : node.end_lineno]), node)


def class_definitions(
    node: ast.ClassDef, lines: list[str], prunable: bool
) -> dict[str, Definition]:
    """A class; each optional public method at its end is a definition of its own."""
    optional: list[ast.FunctionDef] = []
    for n in reversed(node.body if prunable else []):
        if not isinstance(n, ast.FunctionDef) or n.name in ("__init__", "forward"):
            break
        optional.insert(0, n)
    required = [n for n in node.body if n not in optional]
    whole = ast.ClassDef(
        name=node.name,
        bases=node.bases,
        keywords=node.keywords,
        body=required,
        decorator_list=node.decorator_list,
        lineno=node.lineno,
        col_offset=node.col_offset,
        end_lineno=required[-1].end_lineno,
        end_col_offset=required[-1].end_col_offset,
    )
    out = {node.name: definition(whole, node.name, lines)}
    return out | {
        f"{node.name}.{n.name}": definition(n, f"{node.name}.{n.name}", lines) for n in optional
    }
