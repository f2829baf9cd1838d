"""Names that a custom component uses but does not define, or defines too late (X115)."""

import ast
import builtins
import symtable
import warnings
from collections.abc import Iterator

from xlm_spec.compiler.components import component, values
from xlm_spec.compiler.frontend.custom.import_checks import imported
from xlm_spec.compiler.frontend.custom.source import Finding

MODULE = ("__name__", "__doc__", "__file__")


def symbols(text: str) -> symtable.SymbolTable:
    """The symbol table. Raises SyntaxError, also for a `return` outside of a function."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return symtable.symtable(text, "component", "exec")


def undefined(tree: ast.Module, top: symtable.SymbolTable, folder: str) -> Iterator[Finding]:
    """Undefined names; and forbidden imports inside functions."""
    bound = (s for s in top.get_symbols() if s.is_assigned() or s.is_imported())
    known = {s.get_name() for s in bound} | {*dir(builtins), *MODULE}
    read = {s.get_name() for scope in scopes(top) for s in scope.get_symbols() if outer(s, scope)}
    loads = [n for n in ast.walk(tree) if isinstance(n, ast.Name)]
    for name in sorted(read - known):
        node = next((n for n in loads if n.id == name), None)
        hint = "define it in this file, or import it"
        if function := reader(tree, node) if name in wires(folder) else None:
            hint = f"add `{name}` to the arguments of `{function.name}`"
        yield "X115", node, f"name `{name}` is not defined", hint
    for n in ast.walk(tree):
        if isinstance(n, ast.Import | ast.ImportFrom) and n not in tree.body:
            if isinstance(n, ast.ImportFrom) and n.level:
                message = "relative imports are allowed only at the top of the file"
                yield "X113", n, message, "move this line to the top"
            else:
                yield from imported(n, folder)


def wires(folder: str) -> set[str]:
    """The wires that shipped components of an axis require."""
    known = (component(folder, value) for value in values(folder))
    return {w for c in known for f in c.functions.values() for w in f.wires}


def reader(tree: ast.Module, node: ast.AST | None) -> ast.FunctionDef | None:
    """The function of the file in which a name stands; None if it stands in no function."""
    functions = (f for f in tree.body if isinstance(f, ast.FunctionDef))
    return next((f for f in functions if any(n is node for n in ast.walk(f))), None)


def scopes(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for inner in table.get_children():
        yield from scopes(inner)


def outer(symbol: symtable.Symbol, scope: symtable.SymbolTable) -> bool:
    """Is the name read in this scope, but not set in it or in an enclosing function?"""
    if scope.get_type() == "module":
        return symbol.is_referenced()
    return symbol.is_referenced() and symbol.is_global()


def before_definition(tree: ast.Module) -> Iterator[Finding]:
    """Names that Python reads when it imports the file, before their definition below."""
    kinds = ast.FunctionDef | ast.ClassDef
    defined = {n.name: i for i, n in enumerate(tree.body) if isinstance(n, kinds)}
    for i, node in enumerate(tree.body):
        for n in read_at_import(node):
            if defined.get(n.id, -1) >= i:
                message = f"`{n.id}` is used before its definition"
                yield "X115", n, message, "move the definition up, before its first use"
                break


def read_at_import(node: ast.AST) -> Iterator[ast.Name]:
    """The names that Python evaluates when it imports a definition."""
    parts: list[ast.AST | None] = []
    if isinstance(node, ast.FunctionDef):
        a = node.args
        parts = [*node.decorator_list, *a.defaults, *a.kw_defaults, node.returns]
        parts += [x.annotation for x in (*a.posonlyargs, *a.args, *a.kwonlyargs)]
    elif isinstance(node, ast.ClassDef):
        parts = [*node.decorator_list, *node.bases, *(k.value for k in node.keywords)]
        for n in node.body:
            if isinstance(n, ast.FunctionDef | ast.ClassDef):
                yield from read_at_import(n)
            elif isinstance(n, ast.AnnAssign | ast.Assign):
                parts += [getattr(n, "annotation", None), n.value]
    for part in parts:
        yield from (n for n in ast.walk(part) if isinstance(n, ast.Name)) if part else ()
