"""What a component of one's own consists of, and what may not stand in it."""

import ast
import sys
from collections.abc import Iterator

from xlm_spec import ranges
from xlm_spec.compiler.components import Component, component
from xlm_spec.diagnostics import alternatives

LIBRARIES = ("types", "ops")
TYPES = ("float", "int", "bool")
Finding = tuple[str, ast.AST | None, str, str]  # code, where, message, hint


def statements(tree: ast.Module, folder: str) -> Iterator[Finding]:
    """What must not stand in a component, or stands there without what is read off it."""
    docstring = ast.get_docstring(tree)
    if docstring is None:
        hint = 'begin with """What it does, in a sentence."""'
        yield "X111", None, "a component begins with a docstring: its title in the language", hint
    seen: dict[str, ast.AST] = {}
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
            case _:
                told = (
                    "a component holds imports, functions, classes and constants, and runs nothing"
                )
                yield "X111", node, told, ""
        name = getattr(node, "name", "")
        if name in seen:
            yield "X111", node, f"`{name}` is defined twice", ""
        seen |= {name: node} if name else {}


def imported(node: ast.Import | ast.ImportFrom, folder: str) -> Iterator[Finding]:
    """A package imports torch and the standard library, and has its own `types` and `ops`."""
    if isinstance(node, ast.Import):
        for a in node.names:
            if not allowed(a.name):
                yield "X113", node, outside(a.name), "torch and the standard library"
        return
    module = node.module or ""
    if any(a.name == "*" for a in node.names):
        yield "X113", node, "`import *` hides what is used", "name what is used"
    elif module == "__future__":
        yield "X113", node, "a package needs no `__future__`", "leave it out"
    elif not node.level and not allowed(module):
        yield "X113", node, outside(module), "torch and the standard library"
    elif node.level:
        libraries = (*LIBRARIES, *(["layers"] if folder == "backbone" else []))
        if node.level != 2 or module not in libraries:
            told = f"`{'.' * node.level}{module}` is nothing that a package has"
            yield "X113", node, told, f"from ..{' or from ..'.join(libraries)}"
            return
        known = component("", module).definitions
        for a in node.names:
            if a.name not in known:
                yield "X113", node, f"`{module}` has no `{a.name}`", alternatives(a.name, known)
            elif a.asname:
                told = f"`{a.name}` goes by its own name: types are matched by it"
                yield "X113", node, told, f"import {a.name}"


def allowed(module: str) -> bool:
    top = module.partition(".")[0]
    return top == "torch" or top in sys.stdlib_module_names


def outside(module: str) -> str:
    return f"a package does not import `{module}`"


def function(node: ast.FunctionDef, method: bool = False) -> Iterator[Finding]:
    a = node.args
    for extra in (*a.posonlyargs, *filter(None, [a.vararg, a.kwarg])):
        told = f"`{extra.arg}`: wires and parameters go by their names"
        yield "X111", extra, told, "no `/`, *args or **kwargs"
    if a.defaults and not method:
        told = "a wire has no default; what stands behind `*` is a parameter"
        yield "X111", a.defaults[0], told, "put `*,` before it"
    if not method:
        for p, default in zip(a.kwonlyargs, a.kw_defaults, strict=True):
            yield from parameter(p, p.annotation, default)


def class_(node: ast.ClassDef) -> Iterator[Finding]:
    fields = any("dataclass" in ast.unparse(d) for d in node.decorator_list)
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
                yield "X111", n, f"the field `{name}` has no type", f"{name}: float = ..."


def parameter(
    node: ast.arg | ast.AnnAssign, kind: ast.expr | None, default: ast.expr | None
) -> Iterator[Finding]:
    """A number or a switch of the spec: a plain type, a default of that type within its range."""
    name = name_of(node)
    if kind is None:
        given = ast.unparse(default) if default else "..."
        of = {"True": "bool", "False": "bool"}.get(given, "int" if given.isdigit() else "float")
        told = f"the parameter `{name}` has no type"
        yield "X111", node, told, f"{name}: {of} = {given}"
        return
    text = ast.unparse(kind)
    choices: tuple = ()
    if text.startswith("Literal["):
        try:
            choices = tuple(ast.literal_eval(f"({text[8:-1]},)"))
        except (ValueError, SyntaxError):
            choices = (None,)
    if text not in TYPES and not (choices and all(isinstance(c, str) for c in choices)):
        told = f"the parameter `{name}` is a {text}, which a spec can't hold"
        yield "X111", kind, told, f"{', '.join(TYPES)} or Literal[...] of texts"
        return
    try:
        value = ast.literal_eval(default) if default is not None else None
    except (ValueError, TypeError, RecursionError):
        value = None
    right = {"float": (int, float), "int": (int,), "bool": (bool,)}.get(text, (str,))
    fits = isinstance(value, right) and (text == "bool" or not isinstance(value, bool))
    if not fits or (choices and value not in choices):
        told = f"the parameter `{name}` has a default: a literal {text}"
        yield "X111", node, told, "a spec need not give it"


def ranges_of(tree: ast.Module, text: str) -> Iterator[Finding]:
    """Ranges that are none."""
    lines = text.split("\n")
    for node in declared(tree):
        found = ranges.STATED.search(lines[node.lineno - 1].partition("  # ")[2])
        try:
            low, high = (float(e) for e in found.groups()[1:3]) if found else (0.0, 1.0)
        except (ValueError, TypeError, RecursionError):
            low, high = 1.0, 0.0
        if not low < high:
            yield "X111", node, "a range has two numbers, the lower one first", "; in [0, inf)"


def parameters_of(c: Component, tree: ast.Module) -> Iterator[Finding]:
    """Of parameters that several functions have: are they the same? Do defaults lie in ranges?"""
    given = [p for f in c.functions.values() for p in f.parameters]
    given += c.parameters if c.folder == "backbone" or not c.functions else ()
    nodes = {name_of(n): n for n in declared(tree)}
    for p in given:
        if any(q.name == p.name and q != p for q in given):
            yield (
                "X111",
                nodes[p.name],
                f"`{p.name}` is declared in two ways",
                "in one, word for word",
            )
            return
        if p.range and isinstance(p.default, int | float) and p.default not in p.range:
            told = f"the default of `{p.name}`, {p.default}, lies outside {p.range}"
            yield "X111", nodes[p.name], told, ""


def declared(tree: ast.Module) -> list[ast.arg | ast.AnnAssign]:
    """What may be a parameter: keyword-only, or the field of a class."""
    functions = (n.args.kwonlyargs for n in ast.walk(tree) if isinstance(n, ast.FunctionDef))
    classes = (n.body for n in ast.walk(tree) if isinstance(n, ast.ClassDef))
    fields = (f for body in classes for f in body if isinstance(f, ast.AnnAssign))
    return [*(a for args in functions for a in args), *fields]


def name_of(node: ast.arg | ast.AnnAssign) -> str:
    return node.arg if isinstance(node, ast.arg) else ast.unparse(node.target)


def constant(node: ast.Assign) -> Iterator[Finding]:
    try:
        ast.literal_eval(node.value)
    except (ValueError, TypeError, RecursionError):
        yield "X111", node, "a constant is a literal: nothing runs while a spec is compiled", ""
