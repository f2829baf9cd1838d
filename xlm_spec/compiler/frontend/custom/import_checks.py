"""Imports of a custom component: torch, the standard library and the package (X113)."""

import ast
import sys
from collections.abc import Iterator
from importlib.machinery import PathFinder

from xlm_spec.compiler.components import NETWORKS, component
from xlm_spec.compiler.frontend.custom.source import Finding
from xlm_spec.diagnostics import alternatives, nearest

LIBRARIES = ("types", "ops")
ANY_LIBRARY = (*LIBRARIES, "layers")
ALLOWED = "allowed: torch and the standard library"


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


def allowed(module: str) -> bool:
    top = module.partition(".")[0]
    return top == "torch" or top in sys.stdlib_module_names


def outside(module: str) -> str:
    return f"a package cannot import `{module}`"
