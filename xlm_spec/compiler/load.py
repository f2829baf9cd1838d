"""YAML text -> Document: plain values, and the place of every key and value."""

import re
import unicodedata
from codecs import BOM_UTF8
from dataclasses import dataclass
from itertools import islice
from math import inf, isinf
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import MarkedYAMLError, StringMark, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from xlm_spec.diagnostics import Diagnostic, Failed, Span, hidden, shown

MOST_BYTES, MOST_VALUES, DEEPEST = 1 << 16, 1_000, 30
MOST_DIGITS = 18  # of a whole number; more are text, and refused as such

INTEGER = re.compile(r"[-+]?[0-9]+")
NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
NUMBERED = re.compile(r"^%YAML|\\U", re.M)  # from whose number the reader makes something
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
    raw = raw.removeprefix(BOM_UTF8)
    try:
        text = raw.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as e:
        text = raw.decode(errors="replace")
        span, told = place(raw[: e.start].decode()), f"not UTF-8 (byte {e.start})"
        raise Failed(Diagnostic("X101", told, "", file, span, text)) from None
    return Reader(file, text).document()


def scalar(text: str) -> bool | int | float | str | None:
    """A plain scalar of the YAML 1.2 core schema: `1e-4` is a number, `no` a string."""
    if text in CONSTANTS:
        return CONSTANTS[text]
    if INTEGER.fullmatch(text):
        return int(text) if len(text) <= MOST_DIGITS else text
    number = float(text) if NUMBER.fullmatch(text) else inf
    return text if isinf(number) else number


class TooMuch(MarkedYAMLError):
    """Where a text has too many values, or is nested too deeply."""


class Bounded(Composer):
    """Composes a text that is not too much; of another no more than that."""

    def __init__(self, loader: Any = None):
        super().__init__(loader)
        self.warn_double_anchors = False  # an anchor may be written anew
        self.values = self.deep = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self.values += 1
        self.deep += 1
        if self.values > 2 * MOST_VALUES or self.deep > DEEPEST + 1:  # keys and values
            raise TooMuch(problem_mark=self.parser.peek_event().start_mark)
        node = super().compose_node(parent, index)
        self.deep -= 1
        return node


class Reader:
    """Walks the YAML nodes of one text."""

    def __init__(self, file: str, text: str):
        self.file, self.text = file, text
        self.keys: dict[Path_, Span] = {}
        self.spans: dict[Path_, Span] = {}

    def fail(self, message: str, span: Span | None = None, hint: str = "") -> Failed:
        return Failed(Diagnostic("X101", message, hint, self.file, span, self.text))

    def document(self) -> Document:
        self.nothing_hidden(self.text, None)
        nodes = self.composed()
        if len(nodes) != 1 or nodes[0] is None:
            told = "holds more than one document" if len(nodes) > 1 else "is empty"
            span = span_of(nodes[1]) if len(nodes) > 1 and nodes[1] else None
            hint = "a spec is one mapping; start with `xlm_spec: 1`"
            raise self.fail(f"the spec {told}", span, hint)
        if not isinstance(nodes[0], MappingNode):
            raise self.fail("the spec is not a mapping", span_of(nodes[0]))
        return Document(self.file, self.text, self.value(nodes[0], ()), self.keys, self.spans)

    def composed(self) -> list[Node | None]:
        """The first two documents of the text."""
        yaml = YAML(typ="safe", pure=True)
        yaml.Composer = Bounded
        try:
            return list(islice(yaml.compose_all(self.text), 2))
        except TooMuch as e:
            raise self.too_much(at(e.problem_mark)) from None
        except MarkedYAMLError as e:
            tab = "\\t" in str(e.problem)
            hint = "indent with spaces, not tabs" if tab else ""
            span = at(e.problem_mark or e.context_mark)
            raise self.fail(f"not YAML: {shown(e.problem or e.context)}", span, hint) from None
        except (ValueError, OverflowError, LookupError):
            numbered = NUMBERED.search(self.text)
            span = numbered and place(self.text[: numbered.start()])
            raise self.fail("not YAML: no such version, or no such character", span) from None
        except (YAMLError, RecursionError) as e:
            raise self.fail(f"not YAML: {shown(e)}") from None

    def too_much(self, span: Span | None) -> Failed:
        return self.fail("the spec has too many values, or is nested too deeply", span)

    def nothing_hidden(self, text: str, span: Span | None) -> None:
        """Nothing in the text hides, or changes how the rest of it reads. Raises Failed."""
        found = [text.index(c) for c in set(text) if hidden(c)]
        if found:
            i = min(found)
            told = f"the text holds a control character, {named(text[i])}"
            hint = "leave it out: it is not seen, or changes how the rest is read"
            raise self.fail(told, span or place(text[:i]), hint)

    def value(self, node: Node, path: Path_) -> Any:
        span = self.spans[path] = span_of(node)
        if len(self.spans) > MOST_VALUES or len(path) > DEEPEST:
            raise self.too_much(span)
        if self.text[node.start_mark.index : node.start_mark.index + 1] == "!":
            raise self.fail("tags are not allowed", span, "specs are data: write the plain value")
        if isinstance(node, MappingNode):
            return self.mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.value(v, (*path, i)) for i, v in enumerate(node.value)]
        assert isinstance(node, ScalarNode)
        self.nothing_hidden(node.value, span)
        return node.value if node.style in ("'", '"', "|", ">") else scalar(node.value)

    def mapping(self, node: MappingNode, path: Path_) -> dict:
        out: dict = {}
        for key, value in node.value:
            span = span_of(key)
            if not isinstance(key, ScalarNode):
                raise self.fail("a key is a plain word", span)
            self.nothing_hidden(key.value, span)
            if key.value == "<<":
                raise self.fail("merge keys are not allowed", span, "write the values out")
            if key.value in out:
                first = self.keys[*path, key.value].line + 1
                told = f"`{shown(key.value)}` stands here twice (first on line {first})"
                raise self.fail(told, span)
            self.keys[*path, key.value] = span
            out[key.value] = self.value(value, (*path, key.value))
        return out


def named(c: str) -> str:
    """A character by its number, and its name if it has one."""
    name = unicodedata.name(c, "").lower()
    return f"U+{ord(c):04X}" + f" ({name})" * bool(name)


def place(before: str) -> Span:
    """Of the character behind a text."""
    lines = before.split("\n")
    return Span(len(lines) - 1, len(lines[-1]), len(lines) - 1, len(lines[-1]) + 1)


def at(mark: StringMark | None) -> Span | None:
    """The character at a mark."""
    return Span(mark.line, mark.column, mark.line, mark.column + 1) if mark else None


def span_of(node: Node) -> Span:
    start, end = node.start_mark, node.end_mark
    return Span(start.line, start.column, end.line, end.column)
