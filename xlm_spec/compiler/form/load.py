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

from xlm_spec.compiler.form import not_yaml
from xlm_spec.diagnostics import Diagnostic, Failed, Span, hidden, shown

MOST_BYTES, MOST_VALUES, DEEPEST = 1 << 16, 500, 30
MOST_DIGITS = 18  # of a whole number; more are text, and refused as such

INTEGER = re.compile(r"[-+]?[0-9]+")
NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
NUMBERED = re.compile(r"^%YAML|\\U", re.M)  # from whose number the reader makes something
CONSTANTS = {
    **dict.fromkeys(["", "~", "null", "Null", "NULL"], None),
    **dict.fromkeys(["true", "True", "TRUE"], True),
    **dict.fromkeys(["false", "False", "FALSE"], False),
}

ONE = "a spec is one mapping: lines of `key: value`, the first of them `xlm_spec: 1`"

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
        """The value at a path; None where there is none."""
        value: Any = self.values
        for p in path:
            inside = isinstance(value, dict) and p in value
            listed = isinstance(value, list) and isinstance(p, int) and p < len(value)
            value = value[p] if inside or listed else None
        return value

    def written(self, path: Path_) -> str:
        """The value at a path as its author wrote it; "" where it takes several lines."""
        span = self.spans.get(path)
        if span is None or span.line != span.end_line:
            return ""
        line = self.text.splitlines()[span.line : span.line + 1]
        return line[0][span.column : span.end_column] if line else ""

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
        with Path(path).open("rb") as spec:
            raw = spec.read(MOST_BYTES + 1)
    except OSError as e:
        raise Failed(Diagnostic("X101", f"cannot read the spec: {e.strerror}", file=file)) from None
    return parse(raw, file)


def parse(raw: bytes, file: str = "<spec>") -> Document:
    """As `load`, of bytes."""
    if len(raw) > MOST_BYTES:
        told, text = f"the spec is larger than {MOST_BYTES} bytes", raw.decode(errors="replace")
        last = len(text.split("\n")) - 1
        span = Span(last, 0, last, 1)
        raise Failed(Diagnostic("X101", told, "a spec is a page", file, span, text))
    raw = raw.removeprefix(BOM_UTF8)
    try:
        text = re.sub(r"\r\n?", "\n", raw.decode())
    except UnicodeDecodeError as e:
        text, span = raw.decode(errors="replace"), place(raw[: e.start].decode())
        hint = "save the file as UTF-8"
        raise Failed(Diagnostic("X101", "the spec is not UTF-8", hint, file, span, text)) from None
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
        self.brackets()
        nodes = self.composed()
        if len(nodes) != 1 or nodes[0] is None:
            told = "holds more than one document" if len(nodes) > 1 else "is empty"
            second = span_of(nodes[1]) if len(nodes) > 1 and nodes[1] else Span(0, 0, 0, 0)
            raise self.fail(f"the spec {told}", second, ONE)
        if not isinstance(nodes[0], MappingNode):
            raise self.fail("the spec is not a mapping", span_of(nodes[0]), ONE)
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
            told = not_yaml.explain(e, self.text)
            raise self.fail(f"not YAML: {shown(told.message)}", told.span, told.hint) from None
        except (ValueError, OverflowError, LookupError):
            numbered = NUMBERED.search(self.text)
            span = numbered and place(self.text[: numbered.start()])
            raise self.fail("not YAML: no such version, or no such character", span) from None
        except (YAMLError, RecursionError) as e:
            raise self.fail(f"not YAML: {shown(e)}") from None

    def too_much(self, span: Span | None) -> Failed:
        return self.fail("the spec has too many values, or is nested too deeply", span)

    def brackets(self) -> None:
        """Many open brackets would keep the parser busy for seconds."""
        depth = 0
        for found in re.finditer(r"[\[{]|[\]}]", self.text):
            depth = depth + 1 if found[0] in "[{" else max(0, depth - 1)
            if depth > 5 * DEEPEST:  # some may stand in texts
                raise self.too_much(place(self.text[: found.start()]))

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
            if isinstance(key, MappingNode):
                raise self.fail("a mapping cannot be a key", span, "a spec is no template")
            if not isinstance(key, ScalarNode):
                raise self.fail("a key is a plain word", span, "write `key: value`")
            self.nothing_hidden(key.value, span)
            if key.value == "<<":
                raise self.fail("merge keys are not allowed", span, "write the values out")
            if key.value in out:
                first = self.keys[*path, key.value].line + 1
                told = f"`{shown(key.value)}` stands here twice (first on line {first})"
                raise self.fail(told, span, "leave one of them out")
            self.keys[*path, key.value] = span
            out[key.value] = self.value(value, (*path, key.value))
            if out[key.value] is None and value.start_mark.index == value.end_mark.index:
                self.spans[*path, key.value] = span  # nothing stands there: the key does
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
