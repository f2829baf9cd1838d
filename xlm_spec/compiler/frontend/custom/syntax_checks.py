"""Statements of a custom component: which are allowed, and how imports and parameters look."""

import ast
import builtins
import inspect
import symtable
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import PathFinder

from xlm_spec.compiler.components import NETWORKS, Component, component
from xlm_spec.diagnostics import alternatives, nearest

MODULE = ("__name__", "__doc__", "__file__")
LIBRARIES = ("types", "ops")
ANY_LIBRARY = (*LIBRARIES, "layers")
TYPES = ("float", "int", "bool")
ALLOWED = "allowed: torch and the standard library"
Finding = tuple[str, ast.AST | None, str, str]  # code, node, message, hint


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


def imported(node: ast.Import | ast.ImportFrom, folder: str) -> Iterator[Finding]:
    """A component imports torch, the standard library and the package's `types` and `ops`."""
    if isinstance(node, ast.Import):
        for a in node.names:
            if not allowed(a.name):
                yield "X113", node, outside(a.name), ALLOWED
            elif not is_module(a.name):
                yield "X113", node, f"module `{a.name}` does not exist", ALLOWED
        return
    module = node.module or ""
    if any(a.name == "*" for a in node.names):
        yield "X113", node, "`import *` is not allowed", "import each name"
    elif module == "__future__":
        yield "X113", node, "`__future__` imports are not allowed", "remove this line"
    elif not node.level and not allowed(module):
        yield "X113", node, outside(module), ALLOWED
    elif not node.level:
        yield from of_library(node, module)
    elif node.level == 1:
        pass  # a file beside this one: see shared_types
    elif node.level:
        libraries = libraries_of(folder)
        if node.level != 2 or module not in libraries:
            message = f"a package has no module `{'.' * node.level}{module}`"
            yield "X113", node, message, f"allowed: ..{', ..'.join(libraries)}"
            return
        known = component("", module).definitions
        for a in node.names:
            if a.name not in known:
                message = f"module `..{module}` does not define `{a.name}`"
                yield "X113", node, message, alternatives(a.name, known)
            elif a.asname:
                message = f"`{a.name}` must not be renamed: types are matched by their names"
                yield "X113", node, message, f"write `import {a.name}`"


def of_library(node: ast.ImportFrom, module: str) -> Iterator[Finding]:
    """Modules, and names of modules, that the standard library does not have.

    It looks only at modules that are loaded, so that no file is imported.
    """
    loaded = sys.modules.get(module)
    if not is_module(module):
        yield "X113", node, f"module `{module}` does not exist", ALLOWED
    elif loaded and module.partition(".")[0] in sys.stdlib_module_names:
        for name in (a.name for a in node.names):
            if not hasattr(loaded, name) and not is_module(f"{module}.{name}"):
                message = f"module `{module}` does not define `{name}`"
                public = [n for n in dir(loaded) if not n.startswith("_")]
                meant = nearest(name, public)
                yield "X113", node, message, f"did you mean `{meant}`?" if meant else ""


def is_module(name: str) -> bool:
    """Does a module of the standard library exist? True if that is unknown."""
    above = name.rpartition(".")[0]
    if not above or name in sys.modules or name.partition(".")[0] not in sys.stdlib_module_names:
        return True
    package = sys.modules.get(above)
    if package is None:
        return True
    path = getattr(package, "__path__", None)
    return path is not None and PathFinder.find_spec(name, path) is not None


def bound_by(node: ast.AST) -> list[str]:
    """The names that an import binds, but for those of a file beside this one (X113)."""
    if not isinstance(node, ast.Import | ast.ImportFrom) or getattr(node, "level", 0) == 1:
        return []
    return [a.asname or a.name.partition(".")[0] for a in node.names]


def libraries_of(folder: str) -> tuple[str, ...]:
    """The shared modules that a component, or a file of types, may import."""
    if folder == "types":
        return ("types",)
    return ANY_LIBRARY if folder in NETWORKS else LIBRARIES


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
        yield "X115", node, f"name `{name}` is not defined", hint
    for n in ast.walk(tree):
        if isinstance(n, ast.Import | ast.ImportFrom) and n not in tree.body:
            if isinstance(n, ast.ImportFrom) and n.level:
                message = "relative imports are allowed only at the top of the file"
                yield "X113", n, message, "move this line to the top"
            else:
                yield from imported(n, folder)


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


def scopes(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for inner in table.get_children():
        yield from scopes(inner)


def outer(symbol: symtable.Symbol, scope: symtable.SymbolTable) -> bool:
    """Is the name read in this scope, but not set in it or in an enclosing function?"""
    if scope.get_type() == "module":
        return symbol.is_referenced()
    return symbol.is_referenced() and symbol.is_global()


def allowed(module: str) -> bool:
    top = module.partition(".")[0]
    return top == "torch" or top in sys.stdlib_module_names


def outside(module: str) -> str:
    return f"a package cannot import `{module}`"


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


def constant(node: ast.Assign) -> Iterator[Finding]:
    try:
        ast.literal_eval(node.value)
    except (ValueError, TypeError, RecursionError):
        message = "a constant must be a literal: the compiler does not run the file"
        yield "X111", node, message, "compute it in a function"
