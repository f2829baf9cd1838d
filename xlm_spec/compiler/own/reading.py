"""A component in a file of the author's own: read as text, never imported, and looked through.

What ships keeps these rules because its tests would fail; here each breach has a diagnostic at its
line.
"""

import ast
import re
from dataclasses import replace
from pathlib import Path

from xlm_spec.compiler.components import Component, parsed, read
from xlm_spec.compiler.own.anatomy import Finding, parameters_of, ranges_of, statements
from xlm_spec.compiler.own.interface import lacking
from xlm_spec.diagnostics import Diagnostic, Failed, Span, hidden

MOST_BYTES = 1 << 18


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
    if unseen := next(filter(hidden, source.text), None):
        before = source.text.partition(unseen)[0]
        line, column = before.count("\n"), len(before) - before.rfind("\n") - 1
        told = f"a character that is not seen, U+{ord(unseen):04X}"
        place = Span(line, column, line, column + 1)
        raise Failed(source.diagnostic("X110", place, told, "write it as an escape"))
    try:
        tree = parsed(source.text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as e:
        raise Failed(not_python(source, e)) from None
    found = [*statements(tree, folder), *ranges_of(tree, source.text)]
    if found:
        raise Failed(sorted((source.at(f) for f in found), key=lambda d: d.order))
    c = read(source.text, folder, file.stem)
    nodes = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    wrong = [source.at(("X112", nodes.get(name), told, hint)) for name, told, hint in lacking(c)]
    wrong = wrong or [source.at(f) for f in parameters_of(c, tree)]
    if wrong:
        raise Failed(sorted(wrong, key=lambda d: d.order))
    return replace(c, source=source.text)


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
