"""Parameters of the spec in a custom component: their types and defaults (X111)."""

import ast
from collections.abc import Iterator

from xlm_spec.compiler.components import NETWORKS, Component
from xlm_spec.compiler.frontend.custom.source import Finding

TYPES = ("float", "int", "bool")


def parameter(
    node: ast.arg | ast.AnnAssign, kind: ast.expr | None, default: ast.expr | None
) -> Iterator[Finding]:
    """A parameter of the spec has a simple type, and a default of that type."""
    name = name_of(node)
    if kind is None:
        given = ast.unparse(default) if default else "..."
        of = {"True": "bool", "False": "bool"}.get(given, "int" if given.isdigit() else "float")
        message = f"parameter `{name}` has no type"
        yield "X111", node, message, f"write `{name}: {of} = {given}`"
        return
    text = ast.unparse(kind)
    choices: tuple = ()
    if text.startswith("Literal["):
        try:
            choices = tuple(ast.literal_eval(f"({text[8:-1]},)"))
        except (ValueError, SyntaxError):
            choices = (None,)
    if text not in TYPES and not (choices and all(isinstance(c, str) for c in choices)):
        message = f"parameter `{name}` has type {text}, which a spec cannot contain"
        yield "X111", kind, message, f"allowed: {', '.join(TYPES)} or Literal[...] of strings"
        return
    try:
        value = ast.literal_eval(default) if default is not None else None
    except (ValueError, TypeError, RecursionError):
        value = None
    right = {"float": (int, float), "int": (int,), "bool": (bool,)}.get(text, (str,))
    fits = isinstance(value, right) and (text == "bool" or not isinstance(value, bool))
    if not fits or (choices and value not in choices):
        message = f"the default of parameter `{name}` must be a literal of type {text}"
        yield "X111", node, message, "a spec can omit the parameter, so it needs a default"


def parameters_of(c: Component, tree: ast.Module) -> Iterator[Finding]:
    """Parameters of several functions that are declared differently."""
    given = [p for f in c.functions.values() for p in f.parameters]
    given += c.parameters if c.folder in NETWORKS or not c.functions else ()
    nodes = {name_of(n): n for n in declared(tree)}
    for p in given:
        if any(q.name == p.name and q != p for q in given):
            yield (
                "X111",
                nodes[p.name],
                f"parameter `{p.name}` has two different declarations",
                "write the same declaration in each function",
            )
            return


def declared(tree: ast.Module) -> list[ast.arg | ast.AnnAssign]:
    """The nodes of all parameters: keyword-only arguments, and fields of dataclasses."""
    functions = (n.args.kwonlyargs for n in ast.walk(tree) if isinstance(n, ast.FunctionDef))
    classes = (n for n in ast.walk(tree) if isinstance(n, ast.ClassDef))
    bodies = (n.body for n in classes if is_dataclass(n))
    fields = (f for body in bodies for f in body if isinstance(f, ast.AnnAssign))
    return [*(a for args in functions for a in args), *fields]


def is_dataclass(node: ast.ClassDef) -> bool:
    return any("dataclass" in ast.unparse(d) for d in node.decorator_list)


def name_of(node: ast.arg | ast.AnnAssign) -> str:
    return node.arg if isinstance(node, ast.arg) else ast.unparse(node.target)
