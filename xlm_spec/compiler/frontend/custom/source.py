"""The text of a custom file, and diagnostics at its lines."""

import ast
import re
from pathlib import Path

from xlm_spec.diagnostics import Diagnostic, Failed, Span

MOST_BYTES = 1 << 18
Finding = tuple[str, ast.AST | None, str, str]  # code, node, message, hint


class Source:
    """The source of a component, and diagnostics at its lines."""

    def __init__(self, file: Path, text: str):
        self.file, self.text = file, text

    def diagnostic(self, code: str, span: Span | None, message: str, hint: str = "") -> Diagnostic:
        return Diagnostic(code, message, hint, str(self.file), span, self.text)

    def at(self, finding: Finding) -> Diagnostic:
        code, node, message, hint = finding
        return self.diagnostic(code, self.span(node), message, hint)

    def span(self, node: ast.AST | None) -> Span:
        """The first line of a node; the start of the file without a node."""
        if node is None:
            return Span(0, 0, 0, 1)
        line, column = node.lineno - 1, node.col_offset  # type: ignore[attr-defined]
        written = self.text.split("\n")[line].encode()
        end = node.end_col_offset if node.end_lineno == node.lineno else len(written)  # type: ignore[attr-defined]
        return Span(line, len(written[:column].decode()), line, len(written[:end].decode()))


def text_of(file: Path) -> str:
    """Raises Failed (X109)."""
    try:
        if file.stat().st_size > MOST_BYTES:
            message = f"the component is larger than {MOST_BYTES} bytes"
            raise Failed(Diagnostic("X109", message, file=str(file)))
        raw = file.read_bytes()
    except OSError as e:
        message = f"cannot read the component: {e.strerror}"
        raise Failed(Diagnostic("X109", message, file=str(file))) from None
    try:
        return re.sub(r"\r\n?", "\n", raw.decode("utf-8-sig"))
    except UnicodeDecodeError as e:
        message = f"the component is not UTF-8 (byte {e.start})"
        raise Failed(Diagnostic("X109", message, file=str(file))) from None


def not_python(source: Source, error: Exception) -> Diagnostic:
    reason = getattr(error, "msg", None) or str(error) or "nested too deeply"
    message = f"invalid Python: {reason}"
    line, column = getattr(error, "lineno", None) or 1, getattr(error, "offset", None) or 1
    return source.diagnostic("X110", Span(line - 1, column - 1, line - 1, column), message)
