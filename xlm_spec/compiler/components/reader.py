"""Reads a component from its syntax; nothing is imported."""

import ast
import warnings
from typing import Any

from xlm_spec import ranges
from xlm_spec.compiler.components.docstring import Words, also_known_as, differences, paper
from xlm_spec.compiler.components.model import Component, Definition, Function, Parameter


def read(source: str, folder: str, value: str) -> Component:
    """The component in a source text."""
    return Reader(source, folder, value).component()


def parsed(text: str) -> ast.Module:
    """The syntax tree, without Python's warnings (`\\d` in a string, `1 is x`)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


class Reader:
    """Collects what each statement of a component defines."""

    def __init__(self, source: str, folder: str, value: str):
        self.folder, self.value = folder, value
        self.tree, self.lines = parsed(source), source.split("\n")
        self.doc = ast.get_docstring(self.tree) or ""
        self.words = also_known_as(self.doc)
        self.imports: dict[str, set[str]] = {}
        self.definitions: dict[str, Definition] = {}
        self.functions: dict[str, Function] = {}
        self.fields: dict[str, tuple[Parameter, ...]] = {}
        self.types: dict[str, dict[str, str]] = {}
        self.methods: dict[str, dict[str, Function]] = {}
        self.classes: dict[str, str] = {}
        self.bases: dict[str, tuple[str, ...]] = {}
        self.constants: dict[str, Any] = {}
        self.constant_lines: dict[str, Definition] = {}

    def component(self) -> Component:
        for node in self.tree.body[1 if self.doc else 0 :]:
            self.statement(node)
        constants = self.constant_lines
        if constants:
            used = {n for d in self.definitions.values() for n in d.names}
            constants = {n: d for n, d in constants.items() if n in used}
        return Component(
            folder=self.folder,
            value=self.value,
            title=self.doc.split("\n")[0].rstrip("."),
            doc=self.doc,
            paper=paper(self.doc),
            synonyms=self.words.get("", {}),
            differs=differences(self.doc),
            imports={m: frozenset(n) for m, n in self.imports.items()},
            definitions=constants | self.definitions,
            functions=self.functions,
            fields=self.fields,
            types=self.types,
            methods=self.methods,
            classes=self.classes,
            bases=self.bases,
            constants=self.constants,
        )

    def statement(self, node: ast.stmt) -> None:
        match node:
            case ast.ImportFrom():
                self.import_(("." if node.level else "") + (node.module or ""), node)
            case ast.Import():
                self.import_("", node)
            case ast.FunctionDef():
                self.functions[node.name] = signature(node, self.lines, self.words)
                self.definitions[node.name] = definition(node, node.name, self.lines)
            case ast.ClassDef():
                self.class_(node)
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                self.constants[name] = ast.literal_eval(value)
                self.constant_lines[name] = definition(node, name, self.lines)
            case _:
                place = f"{self.folder}/{self.value}.py:{node.lineno}"
                raise AssertionError(f"{place}: invalid statement")

    def import_(self, module: str, node: ast.Import | ast.ImportFrom) -> None:
        self.imports.setdefault(module, set()).update(ast.unparse(a) for a in node.names)

    def class_(self, node: ast.ClassDef) -> None:
        name = node.name
        self.classes[name] = ast.get_docstring(node) or ""
        self.bases[name] = tuple(map(ast.unparse, node.bases))
        self.definitions |= class_definitions(node, self.lines, prunable=self.folder == "backbone")
        methods = (n for n in node.body if isinstance(n, ast.FunctionDef))
        self.methods[name] = {m.name: signature(m, self.lines, self.words) for m in methods}
        annotated = [n for n in node.body if isinstance(n, ast.AnnAssign)]
        self.types[name] = {name_of(n): ast.unparse(n.annotation) for n in annotated}
        if any("dataclass" in ast.unparse(d) for d in node.decorator_list):
            words = self.words | also_known_as(self.classes[name])
            self.fields[name] = tuple(
                parameter(name_of(n), n.annotation, n.value, self.lines[n.lineno - 1], words)
                for n in annotated
            )


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
