"""A component in a file of the author's own: read as text, never imported, and looked through.

What ships keeps these rules because its tests would fail; here each breach has a diagnostic at its
line.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from xlm_spec.compiler.components import Component, component, read
from xlm_spec.compiler.interface import lacking
from xlm_spec.diagnostics import Diagnostic, Failed, Span, alternatives

MOST_BYTES = 1 << 18
LIBRARIES = ("types", "ops")
TYPES = ("float", "int", "bool")
Finding = tuple[str, ast.AST | None, str, str]  # code, where, message, hint


class Source:
    """The text of a component, and diagnostics at its lines."""

    def __init__(self, file: Path, text: str):
        self.file, self.text = file, text

    def diagnostic(self, code: str, span: Span | None, told: str, hint: str = "") -> Diagnostic:
        return Diagnostic(code, told, hint, str(self.file), span, self.text)

    def at(self, found: Finding) -> Diagnostic:
        code, node, told, hint = found
        return self.diagnostic(code, self.span(node), told, hint)

    def span(self, node: ast.AST | None) -> Span:
        """The first line of a node; without one, the start of the file."""
        if node is None:
            return Span(0, 0, 0, 1)
        line, column = node.lineno - 1, node.col_offset  # type: ignore[attr-defined]
        written = self.text.split("\n")[line].encode()
        end = node.end_col_offset if node.end_lineno == node.lineno else len(written)  # type: ignore[attr-defined]
        return Span(line, len(written[:column].decode()), line, len(written[:end].decode()))


def own(file: Path, folder: str) -> Component:
    """The component in a file. Raises Failed (X109–X113) with all that keeps it from being one."""
    source = Source(file, text_of(file))
    try:
        tree = ast.parse(source.text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as e:
        raise Failed(not_python(source, e)) from None
    found = [*statements(tree, folder)]
    if found:
        raise Failed(sorted((source.at(f) for f in found), key=lambda d: d.order))
    c = read(source.text, folder, file.stem)
    nodes = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    wrong = [source.at(("X112", nodes.get(name), told, hint)) for name, told, hint in lacking(c)]
    if wrong:
        raise Failed(sorted(wrong, key=lambda d: d.order))
    return c


def text_of(file: Path) -> str:
    """Raises Failed (X109)."""
    try:
        if file.stat().st_size > MOST_BYTES:
            raise Failed(Diagnostic("X109", f"larger than {MOST_BYTES} bytes", file=str(file)))
        raw = file.read_bytes()
    except OSError as e:
        told = f"cannot read the component: {e.strerror}"
        raise Failed(Diagnostic("X109", told, file=str(file))) from None
    try:
        return re.sub(r"\r\n?", "\n", raw.decode("utf-8-sig"))
    except UnicodeDecodeError as e:
        told = f"the component is not UTF-8 (byte {e.start})"
        raise Failed(Diagnostic("X109", told, file=str(file))) from None


def not_python(source: Source, error: Exception) -> Diagnostic:
    told = f"not Python: {getattr(error, 'msg', None) or str(error) or 'nested too deeply'}"
    line, column = getattr(error, "lineno", None) or 1, getattr(error, "offset", None) or 1
    return source.diagnostic("X110", Span(line - 1, column - 1, line - 1, column), told)


# ---- what a component consists of --------------------------------------------------------------


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


def parameter(node: ast.AST, kind: ast.expr | None, default: ast.expr | None) -> Iterator[Finding]:
    """A number or a switch of the spec: a plain type, a default of that type within its range."""
    name = node.arg if isinstance(node, ast.arg) else ast.unparse(node.target)  # type: ignore[attr-defined]
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
    except ValueError:
        value = None
    right = {"float": (int, float), "int": (int,), "bool": (bool,)}.get(text, (str,))
    fits = isinstance(value, right) and (text == "bool" or not isinstance(value, bool))
    if not fits or (choices and value not in choices):
        told = f"the parameter `{name}` has a default: a literal {text}"
        yield "X111", node, told, "a spec need not give it"


def constant(node: ast.Assign) -> Iterator[Finding]:
    try:
        ast.literal_eval(node.value)
    except ValueError:
        yield "X111", node, "a constant is a literal: nothing runs while a spec is compiled", ""
