"""YAML text -> Document: plain values, and the place of every key and value."""

import re
import unicodedata
from dataclasses import dataclass
from math import inf, isinf
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from xlm_spec.diagnostics import Diagnostic, Failed, Span

MOST_BYTES, MOST_VALUES, DEEPEST = 1 << 18, 5_000, 30
MOST_DIGITS = 18  # of a whole number; more are text, and refused as such

INTEGER = re.compile(r"[-+]?[0-9]+")
NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
CONSTANTS = {
    **dict.fromkeys(["", "~", "null", "Null", "NULL"], None),
    **dict.fromkeys(["true", "True", "TRUE"], True),
    **dict.fromkeys(["false", "False", "FALSE"], False),
}

Path_ = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """A spec as written. `keys` and `spans` tell where each path's key and value stand."""

    file: str
    text: str
    values: dict
    keys: dict[Path_, Span]
    spans: dict[Path_, Span]

    def at(self, path: Path_) -> Any:
        """What stands at a path."""
        value: Any = self.values
        for step in path:
            value = value[step]
        return value

    def diagnostic(
        self,
        code: str,
        message: str,
        path: Path_,
        hint: str = "",
        key: bool = False,
        severity: str = "error",
    ) -> Diagnostic:
        """A diagnostic at a path: at its key if asked for, else at its value."""
        span = self.keys.get(path) if key else None
        while span is None:
            span, path = self.spans.get(path), path[:-1]
        return Diagnostic(code, message, hint, self.file, span, self.text, severity)


def load(path: str | Path) -> Document:
    """Reads a spec file. Raises Failed (X101) where it is not a mapping in plain YAML 1.2."""
    file = str(path)
    try:
        raw = Path(path).read_bytes()
    except OSError as e:
        raise Failed(Diagnostic("X101", f"cannot read the spec: {e.strerror}", file=file)) from None
    return parse(raw, file)


def parse(raw: bytes, file: str = "<spec>") -> Document:
    """As `load`, of bytes."""
    if len(raw) > MOST_BYTES:
        raise Failed(Diagnostic("X101", f"the spec is larger than {MOST_BYTES} bytes", file=file))
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as e:
        raise Failed(Diagnostic("X101", f"not UTF-8 (byte {e.start})", file=file)) from None
    return Reader(file, text).document()


def scalar(text: str) -> bool | int | float | str | None:
    """A plain scalar of the YAML 1.2 core schema: `1e-4` is a number, `no` a string."""
    if text in CONSTANTS:
        return CONSTANTS[text]
    if INTEGER.fullmatch(text):
        return int(text) if len(text) <= MOST_DIGITS else text
    number = float(text) if NUMBER.fullmatch(text) else inf
    return text if isinf(number) else number


class Reader:
    """Walks the YAML nodes of one text."""

    def __init__(self, file: str, text: str):
        self.file, self.text = file, text
        self.keys: dict[Path_, Span] = {}
        self.spans: dict[Path_, Span] = {}

    def fail(self, message: str, span: Span | None = None, hint: str = "") -> Failed:
        return Failed(Diagnostic("X101", message, hint, self.file, span, self.text))

    def document(self) -> Document:
        yaml = YAML(typ="safe", pure=True)
        try:
            nodes = list(yaml.compose_all(self.text))
        except MarkedYAMLError as e:
            mark = e.problem_mark or e.context_mark
            span = mark and Span(mark.line, mark.column, mark.line, mark.column + 1)
            tab = "\\t" in str(e.problem)
            hint = "indent with spaces, not tabs" if tab else ""
            raise self.fail(f"not YAML: {e.problem or e.context}", span, hint) from None
        except (YAMLError, RecursionError) as e:
            raise self.fail(f"not YAML: {str(e).splitlines()[0]}") from None
        if len(nodes) != 1 or nodes[0] is None:
            told = f"holds {len(nodes)} documents" if len(nodes) > 1 else "is empty"
            raise self.fail(
                f"the spec {told}", hint="a spec is one mapping; start with `xlm_spec: 1`"
            )
        if not isinstance(nodes[0], MappingNode):
            raise self.fail("the spec is not a mapping", span_of(nodes[0]))
        return Document(self.file, self.text, self.value(nodes[0], ()), self.keys, self.spans)

    def value(self, node: Node, path: Path_) -> Any:
        span = self.spans[path] = span_of(node)
        if len(self.spans) > MOST_VALUES or len(path) > DEEPEST:
            raise self.fail("the spec has too many values, or is nested too deeply", span)
        if self.text[node.start_mark.index : node.start_mark.index + 1] == "!":
            raise self.fail("tags are not allowed", span, "specs are data: write the plain value")
        if isinstance(node, MappingNode):
            return self.mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.value(v, (*path, i)) for i, v in enumerate(node.value)]
        assert isinstance(node, ScalarNode)
        if any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" for c in node.value):
            raise self.fail("the text holds a control character", span)
        return node.value if node.style in ("'", '"', "|", ">") else scalar(node.value)

    def mapping(self, node: MappingNode, path: Path_) -> dict:
        out: dict = {}
        for key, value in node.value:
            span = span_of(key)
            if not isinstance(key, ScalarNode):
                raise self.fail("a key is a plain word", span)
            if key.value == "<<":
                raise self.fail("merge keys are not allowed", span, "write the values out")
            if key.value in out:
                first = self.keys[*path, key.value].line + 1
                raise self.fail(f"`{key.value}` stands here twice (first on line {first})", span)
            self.keys[*path, key.value] = span
            out[key.value] = self.value(value, (*path, key.value))
        return out


def span_of(node: Node) -> Span:
    start, end = node.start_mark, node.end_mark
    return Span(start.line, start.column, end.line, end.column)
