"""Attributes that an argument, or `self`, does not have (X118): read from the types of the file."""

import ast
from collections.abc import Iterator

from xlm_spec.compiler.components import component
from xlm_spec.compiler.frontend.custom.source import Finding
from xlm_spec.compiler.members import MODULE_ATTRIBUTES, members, optional_fields
from xlm_spec.diagnostics import alternatives

Classes = dict[str, ast.ClassDef]
Functions = ast.FunctionDef | ast.Lambda | ast.AsyncFunctionDef
USES = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.Subscript, ast.Attribute, ast.Call)
IDENTITY = (ast.Is, ast.IsNot, ast.Eq, ast.NotEq, ast.In, ast.NotIn)


def attributes(tree: ast.Module, shared: Classes) -> Iterator[Finding]:
    """X118 for each attribute that does not exist; `shared`: the types of other files."""
    types = component("", "types").definitions.values()
    classes: Classes = {d.name: d.node for d in types if isinstance(d.node, ast.ClassDef)}
    own = {n.name: n for n in tree.body if isinstance(n, ast.ClassDef)}
    classes |= shared | own
    for name, node in own.items():
        yield from of_self(name, node)
    for f in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)):
        for a in (*f.args.args, *f.args.kwonlyargs):
            kind = ast.unparse(a.annotation) if a.annotation else ""
            if kind in classes and not rebound(f, a.arg):
                yield from of_argument(f, a.arg, kind, classes[kind])


def of_self(name: str, node: ast.ClassDef) -> Iterator[Finding]:
    """Attributes of `self` that the class does not define."""
    known = members(node)
    for method in (n for n in node.body if isinstance(n, ast.FunctionDef)):
        if known is not None and "self" in {a.arg for a in method.args.args}:
            yield from unknown(method, "self", f"class `{name}`", known)


def of_argument(
    f: ast.FunctionDef, argument: str, kind: str, node: ast.ClassDef
) -> Iterator[Finding]:
    """Attributes of an argument that its type does not have, or that can be None."""
    known = members(node)
    if known is None:
        return
    yield from unknown(f, argument, f"`{kind}`", known)
    for field in sorted(optional_fields(node)):
        used = [*uses(f, argument, field)]
        if used and not tested(f, argument, field):
            text = f"{argument}.{field}"
            hint = f"write, for example, `1.0 if {text} is None else ...`"
            yield "X118", used[0], f"`{text}` can be None", hint


def unknown(f: ast.FunctionDef, name: str, kind: str, known: frozenset[str]) -> Iterator[Finding]:
    seen: set[str] = set()
    for n in (n for n in ast.walk(f) if isinstance(n, ast.Attribute)):
        if is_attribute(n, name) and n.attr not in {*known, *seen}:
            seen.add(n.attr)
            inherited = {*dir(tuple), *MODULE_ATTRIBUTES}
            own = sorted(k for k in known - inherited if not k.startswith("_"))
            message = f"`{name}.{n.attr}` does not exist: {kind} has no attribute `{n.attr}`"
            yield "X118", n, message, alternatives(n.attr, own) if own else ""


def is_attribute(n: ast.AST, name: str, field: str = "") -> bool:
    """Is it `name.field`, or any attribute of `name`?"""
    return (
        isinstance(n, ast.Attribute)
        and isinstance(n.value, ast.Name)
        and n.value.id == name
        and field in ("", n.attr)
    )


def uses(f: ast.FunctionDef, name: str, field: str) -> Iterator[ast.AST]:
    """Where an attribute is used as something that is not None."""
    for n in ast.walk(f):
        if isinstance(n, USES) and not (isinstance(n, ast.UnaryOp) and isinstance(n.op, ast.Not)):
            if isinstance(n, ast.Compare) and all(isinstance(o, IDENTITY) for o in n.ops):
                continue
            used = [n.func] if isinstance(n, ast.Call) else [*ast.iter_child_nodes(n)]
            used = [n.value] if isinstance(n, ast.Subscript) else used
            yield from (u for u in used if is_attribute(u, name, field))


def tested(f: ast.FunctionDef, name: str, field: str) -> bool:
    """Does a function compare an attribute with None, or test it?"""
    for n in ast.walk(f):
        tests: list[ast.AST] = []
        if isinstance(n, ast.Compare):
            tests = [n.left, *n.comparators] if isinstance(n.ops[0], ast.Is | ast.IsNot) else []
        elif isinstance(n, ast.If | ast.IfExp | ast.While | ast.Assert):
            tests = [n.test]
        elif isinstance(n, ast.BoolOp):
            tests = [*n.values]
        elif isinstance(n, ast.UnaryOp) and isinstance(n.op, ast.Not):
            tests = [n.operand]
        if any(is_attribute(t, name, field) for t in tests):
            return True
    return False


def rebound(f: ast.FunctionDef, name: str) -> bool:
    """Can a name mean something else than the argument, somewhere in a function?"""
    assigned = (n for n in ast.walk(f) if isinstance(n, ast.Assign))
    replacing = [n for n in assigned if is_replaced(n.value, name)]
    for n in ast.walk(f):
        if n is not f and isinstance(n, Functions):
            arguments = (*n.args.posonlyargs, *n.args.args, *n.args.kwonlyargs)
            if name in {a.arg for a in arguments}:
                return True
        is_set = isinstance(n, ast.Name) and n.id == name and not isinstance(n.ctx, ast.Load)
        if is_set and not any(n in a.targets for a in replacing):
            return True
    return False


def is_replaced(value: ast.expr, name: str) -> bool:
    """Is it `name._replace(...)`, which has the same type?"""
    return isinstance(value, ast.Call) and is_attribute(value.func, name, "_replace")
