"""Calls with arguments that a known function or class does not take (X119)."""

import ast
from collections.abc import Iterator
from inspect import Parameter, Signature

from xlm_spec.compiler.components import component
from xlm_spec.compiler.frontend.custom.parameter_checks import is_dataclass
from xlm_spec.compiler.frontend.custom.source import Finding
from xlm_spec.diagnostics import nearest

Named = Parameter.POSITIONAL_OR_KEYWORD
LIBRARIES = {"ops": "ops", "types": "types", "layers": "layers"}


def calls(tree: ast.Module, shared: dict[str, ast.ClassDef]) -> Iterator[Finding]:
    """X119 for each call that Python would end with a TypeError; `shared`: types of other files."""
    known = {name: node for name, node in defined(tree, shared).items() if name not in bound(tree)}
    signatures = {name: s for name, node in known.items() if (s := signature_of(node))}
    for call in (n for n in ast.walk(tree) if isinstance(n, ast.Call)):
        if isinstance(call.func, ast.Name) and call.func.id in signatures:
            yield from misfit(call, call.func.id, signatures[call.func.id])


def defined(tree: ast.Module, shared: dict[str, ast.ClassDef]) -> dict[str, ast.stmt]:
    """The definitions that a file has, or imports from a library or from files beside it."""
    found: dict[str, ast.stmt] = {**shared}
    for node in (n for n in tree.body if isinstance(n, ast.ImportFrom) and n.level == 2):
        if node.module in LIBRARIES:
            library = component("", LIBRARIES[node.module]).definitions
            names = [(a.asname or a.name, a.name) for a in node.names]
            found |= {here: library[there].node for here, there in names if there in library}
    return found | {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}


def bound(tree: ast.Module) -> set[str]:
    """The names that mean something else somewhere: arguments, and what functions assign."""
    arguments = {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    stored = (n for n in ast.walk(tree) if isinstance(n, ast.Name))
    inner = (n for f in tree.body for n in ast.walk(f) if n is not f)
    nested = {n.name for n in inner if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    return arguments | nested | {n.id for n in stored if not isinstance(n.ctx, ast.Load)}


def signature_of(node: ast.stmt) -> Signature | None:
    """What a call takes; None if this is not known."""
    if isinstance(node, ast.FunctionDef) and not node.decorator_list:
        return of_function(node)
    if isinstance(node, ast.ClassDef):
        methods = {n.name: n for n in node.body if isinstance(n, ast.FunctionDef)}
        if {*map(ast.unparse, node.bases)} == {"NamedTuple"} and "__new__" not in methods:
            return of_fields(node)
        if not node.bases and is_dataclass(node) and "__init__" not in methods:
            return of_fields(node)
    return None


def of_function(node: ast.FunctionDef) -> Signature | None:
    a = node.args
    if a.vararg or a.kwarg or a.posonlyargs:
        return None
    required = len(a.args) - len(a.defaults)
    found = [
        Parameter(x.arg, Named, default=Parameter.empty if i < required else None)
        for i, x in enumerate(a.args)
    ]
    found += [
        Parameter(x.arg, Parameter.KEYWORD_ONLY, default=None if d else Parameter.empty)
        for x, d in zip(a.kwonlyargs, a.kw_defaults, strict=True)
    ]
    return Signature(found)


def of_fields(node: ast.ClassDef) -> Signature | None:
    """The fields of a NamedTuple or a dataclass."""
    fields = [n for n in node.body if isinstance(n, ast.AnnAssign)]
    found = [
        Parameter(ast.unparse(n.target), Named, default=None if n.value else Parameter.empty)
        for n in fields
    ]
    try:
        return Signature(found)
    except ValueError:  # a field without a default after one with a default
        return None


def misfit(call: ast.Call, name: str, signature: Signature) -> Iterator[Finding]:
    """What is wrong with the arguments of a call, if they are known."""
    unpacks = any(isinstance(a, ast.Starred) for a in call.args)
    if unpacks or not all(k.arg for k in call.keywords):
        return
    known = [*signature.parameters]
    positional = [p.name for p in signature.parameters.values() if p.kind == Named]
    given = [*positional[: len(call.args)], *(k.arg for k in call.keywords if k.arg)]
    allowed = f"arguments: {', '.join(known)}" if known else "it takes no arguments"
    for keyword in call.keywords:
        if keyword.arg and keyword.arg not in known:
            meant = nearest(keyword.arg, known)
            hint = f"did you mean `{meant}`? {allowed}" if meant else allowed
            yield "X119", keyword, f"`{name}` has no argument `{keyword.arg}`", hint
            return
    if len(call.args) > len(positional):
        message = f"`{name}` takes {len(positional)} positional arguments, not {len(call.args)}"
        yield "X119", call, message, allowed
    elif twice := next((n for n in given if given.count(n) > 1), ""):
        yield "X119", call, f"`{name}` is given `{twice}` twice", allowed
    else:
        required = [p.name for p in signature.parameters.values() if p.default is Parameter.empty]
        missing = [f"`{n}`" for n in required if n not in given]
        if missing:
            yield "X119", call, f"`{name}` is called without {' and '.join(missing)}", allowed
