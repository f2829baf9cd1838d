"""Statements of a custom component: which are allowed, and how definitions look (X111)."""

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass

from xlm_spec.compiler.frontend.custom.import_checks import bound_by, imported
from xlm_spec.compiler.frontend.custom.parameter_checks import is_dataclass, parameter
from xlm_spec.compiler.frontend.custom.source import Finding


def statements(tree: ast.Module, folder: str) -> Iterator[Finding]:
    """Statements that a component must not contain, or that lack what the compiler reads."""
    docstring = ast.get_docstring(tree)
    if docstring is None:
        hint = 'write, for example, """Half of the ELBO weight."""'
        yield (
            "X111",
            None,
            "a component must start with a docstring, whose first line is its title",
            hint,
        )
    seen: dict[str, ast.AST] = {}
    imported_names = {name for node in tree.body for name in bound_by(node)}
    for node in tree.body[1 if docstring is not None else 0 :]:
        match node:
            case ast.Import() | ast.ImportFrom():
                yield from imported(node, folder)
            case ast.FunctionDef():
                yield from function(node)
            case ast.ClassDef():
                yield from class_(node)
            case ast.Assign(targets=[ast.Name()]):
                yield from constant(node)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as given):
                message = f"constant `{name}` must not have a type annotation"
                yield "X111", node, message, f"write `{name} = {ast.unparse(given)}`"
            case _:
                message = "a component contains only imports, functions, classes and constants"
                yield "X111", node, message, "remove this statement"
        name = ast.unparse(node.targets[0]) if isinstance(node, ast.Assign) else ""
        name = getattr(node, "name", name)
        if name in seen:
            yield "X111", node, f"`{name}` is defined twice", "remove one definition"
        elif name in imported_names:
            yield (
                "X111",
                node,
                f"`{name}` is imported and defined in this file",
                "rename the definition",
            )
        seen |= {name: node} if name else {}


def function(node: ast.FunctionDef, method: bool = False) -> Iterator[Finding]:
    a = node.args
    yield from quoted_types(node, method)
    for extra in (*a.posonlyargs, *filter(None, [a.vararg, a.kwarg])):
        message = f"argument `{extra.arg}` cannot be passed by its name"
        yield "X111", extra, message, "do not use `/`, *args or **kwargs"
    if a.defaults and not method:
        message = "a positional argument must not have a default"
        yield "X111", a.defaults[0], message, "write `*,` before the parameters of the spec"
    if not method:
        for p, default in zip(a.kwonlyargs, a.kw_defaults, strict=True):
            yield from parameter(p, p.annotation, default)


def quoted_types(node: ast.FunctionDef, method: bool) -> Iterator[Finding]:
    """Types in quotes: types are matched by their names."""
    given: list[tuple[ast.AST, ast.expr | None]] = [(a, a.annotation) for a in node.args.args]
    given += [] if method else [(node.returns or node, node.returns)]
    for place, kind in given:
        parts = ast.walk(kind) if kind and not ast.unparse(kind).startswith("Literal") else ()
        texts = [n.value for n in parts if isinstance(n, ast.Constant) and n.value is not None]
        if any(isinstance(t, str) for t in texts) and kind:
            written = ast.unparse(kind).replace("'", "")
            before = f"{place.arg}: " if isinstance(place, ast.arg) else "-> "
            message = f"the type {ast.unparse(kind)} is in quotes: types are matched by their names"
            yield "X111", place, message, f"write `{before}{written}`"


def class_(node: ast.ClassDef) -> Iterator[Finding]:
    fields = is_dataclass(node)
    for decorator in node.decorator_list if fields else ():
        given = {k.arg for k in getattr(decorator, "keywords", ())}
        if not given <= {*inspect.signature(dataclass).parameters}:
            message = f"`@{ast.unparse(decorator)}` is not a dataclass"
            yield "X111", decorator, message, "write `@dataclass(frozen=True)`"
    for n in node.body:
        match n:
            case ast.AnnAssign(target=ast.Name()) if fields:
                yield from parameter(n, n.annotation, n.value)
            case ast.FunctionDef(name="__init__"):
                yield from function(n, method=True)
                for p, default in zip(n.args.kwonlyargs, n.args.kw_defaults, strict=True):
                    yield from parameter(p, p.annotation, default)
            case ast.FunctionDef():
                yield from function(n, method=True)
            case ast.AnnAssign(target=ast.Name()) | ast.Expr(value=ast.Constant()):
                pass
            case ast.Assign() if fields or "NamedTuple" in map(ast.unparse, node.bases):
                name = ast.unparse(n.targets[0])
                yield "X111", n, f"field `{name}` has no type", f"write `{name}: float = ...`"


def constant(node: ast.Assign) -> Iterator[Finding]:
    try:
        ast.literal_eval(node.value)
    except (ValueError, TypeError, RecursionError):
        message = "a constant must be a literal: the compiler does not run the file"
        yield "X111", node, message, "compute it in a function"
