"""YAML text -> Document: plain values, and the location of each key and value."""

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

from xlm_spec.compiler.frontend import not_yaml
from xlm_spec.diagnostics import Diagnostic, Failed, Span, hidden, shown

MOST_BYTES, MOST_VALUES, DEEPEST = 1 << 16, 500, 30
MOST_DIGITS = 18  # of an integer; longer ones are strings, which are rejected later

INTEGER = re.compile(r"[-+]?[0-9]+")
NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
NUMBERED = re.compile(r"^%YAML|\\U", re.M)  # followed by a number that the parser converts
CONSTANTS = {
    **dict.fromkeys(["", "~", "null", "Null", "NULL"], None),
    **dict.fromkeys(["true", "True", "TRUE"], True),
    **dict.fromkeys(["false", "False", "FALSE"], False),
}

SPEC = "spec.yaml"  # the name of the spec in the folder of a package
ONE = "write one mapping: lines `key: value` that start with `xlm_spec: 1`"

Path_ = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """A spec as written. `keys` and `spans`: where the key and the value of a path are."""

    file: str
    text: str
    values: dict
    keys: dict[Path_, Span]
    spans: dict[Path_, Span]

    def at(self, path: Path_) -> Any:
        """The value at a path; None if there is none."""
        value: Any = self.values
        for p in path:
            inside = isinstance(value, dict) and p in value
            listed = isinstance(value, list) and isinstance(p, int) and p < len(value)
            value = value[p] if inside or listed else None
        return value

    def written(self, path: Path_) -> str:
        """The value at a path as written in the spec; "" if it has several lines."""
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
        """A diagnostic at a path: at its key if `key` is set, else at its value."""
        span = self.keys.get(path) if key else None
        while span is None:
            span, path = self.spans.get(path), path[:-1]
        return Diagnostic(code, message, hint, self.file, span, self.text, severity)


def load(path: str | Path) -> Document:
    """Reads a spec file. Raises Failed (X101) if it is not a mapping in plain YAML 1.2."""
    file = str(path)
    try:
        with Path(path).open("rb") as spec:
            raw = spec.read(MOST_BYTES + 1)
    except OSError as e:
        folder = isinstance(e, IsADirectoryError) and (Path(path) / SPEC).is_file()
        hint = f"did you mean `{Path(path) / SPEC}`?" if folder else ""
        message = f"cannot read the spec: {e.strerror}"
        raise Failed(Diagnostic("X101", message, hint, file)) from None
    return parse(raw, file)


def parse(raw: bytes, file: str = "<spec>") -> Document:
    """Like `load`, from bytes."""
    if len(raw) > MOST_BYTES:
        message, text = f"the spec is larger than {MOST_BYTES} bytes", raw.decode(errors="replace")
        last = len(text.split("\n")) - 1
        span = Span(last, 0, last, 1)
        hint = "a spec is about one page long; is this the right file?"
        raise Failed(Diagnostic("X101", message, hint, file, span, text))
    raw = raw.removeprefix(BOM_UTF8)
    try:
        text = re.sub(r"\r\n?", "\n", raw.decode())
    except UnicodeDecodeError as e:
        text, span = raw.decode(errors="replace"), span_after(raw[: e.start].decode())
        hint = "save the file as UTF-8"
        raise Failed(Diagnostic("X101", "the spec is not UTF-8", hint, file, span, text)) from None
    return Reader(file, text).document()


def scalar(text: str) -> bool | int | float | str | None:
    """The value of a plain scalar in YAML 1.2: `1e-4` is a number, `no` is a string."""
    if text in CONSTANTS:
        return CONSTANTS[text]
    if INTEGER.fullmatch(text):
        return int(text) if len(text) <= MOST_DIGITS else text
    number = float(text) if NUMBER.fullmatch(text) else inf
    return text if isinf(number) else number


class TooMuch(MarkedYAMLError):
    """The text has too many values, or is nested too deeply."""


class Bounded(Composer):
    """A composer that stops after too many values or levels."""

    def __init__(self, loader: Any = None):
        super().__init__(loader)
        self.warn_double_anchors = False  # an anchor may be defined again
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
    """Converts the YAML nodes of one text."""

    def __init__(self, file: str, text: str):
        self.file, self.text = file, text
        self.keys: dict[Path_, Span] = {}
        self.spans: dict[Path_, Span] = {}

    def fail(self, message: str, span: Span | None = None, hint: str = "") -> Failed:
        return Failed(Diagnostic("X101", message, hint, self.file, span, self.text))

    def document(self) -> Document:
        self.check_characters(self.text, None)
        self.check_brackets()
        nodes = self.composed()
        if len(nodes) != 1 or nodes[0] is None:
            message = "contains more than one document" if len(nodes) > 1 else "is empty"
            second = span_of(nodes[1]) if len(nodes) > 1 and nodes[1] else Span(0, 0, 0, 0)
            raise self.fail(f"the spec {message}", second, ONE)
        if not isinstance(nodes[0], MappingNode):
            raise self.fail("the spec is not a mapping", span_of(nodes[0]), ONE)
        return Document(self.file, self.text, self.value(nodes[0], ()), self.keys, self.spans)

    def composed(self) -> list[Node | None]:
        """The nodes of the first two documents of the text."""
        yaml = YAML(typ="safe", pure=True)
        yaml.Composer = Bounded
        try:
            return list(islice(yaml.compose_all(self.text), 2))
        except TooMuch as e:
            raise self.too_much(at(e.problem_mark)) from None
        except MarkedYAMLError as e:
            problem = not_yaml.explain(e, self.text)
            message = f"invalid YAML: {shown(problem.message)}"
            raise self.fail(message, problem.span, problem.hint) from None
        except (ValueError, OverflowError, LookupError):
            numbered = NUMBERED.search(self.text)
            span = numbered and span_after(self.text[: numbered.start()])
            message = "invalid YAML: this version or this character does not exist"
            raise self.fail(message, span) from None
        except (YAMLError, RecursionError) as e:
            raise self.fail(f"invalid YAML: {shown(e)}") from None

    def too_much(self, span: Span | None) -> Failed:
        return self.fail("the spec has too many values, or is nested too deeply", span)

    def check_brackets(self) -> None:
        """Rejects many open brackets, which would keep the parser busy for seconds."""
        depth = 0
        for found in re.finditer(r"[\[{]|[\]}]", self.text):
            depth = depth + 1 if found[0] in "[{" else max(0, depth - 1)
            if depth > 5 * DEEPEST:  # some may be in strings
                raise self.too_much(span_after(self.text[: found.start()]))

    def check_characters(self, text: str, span: Span | None) -> None:
        """Rejects characters that are invisible, or change how the text is displayed."""
        found = [text.index(c) for c in set(text) if hidden(c)]
        if found:
            i = min(found)
            message = f"control character {named(text[i])}"
            hint = "remove it: it is invisible, or changes how the text is displayed"
            raise self.fail(message, span or span_after(text[:i]), hint)

    def value(self, node: Node, path: Path_) -> Any:
        span = self.spans[path] = span_of(node)
        if len(self.spans) > MOST_VALUES or len(path) > DEEPEST:
            raise self.too_much(span)
        if self.text[node.start_mark.index : node.start_mark.index + 1] == "!":
            raise self.fail("YAML tags are not allowed", span, "write the value without the tag")
        if isinstance(node, MappingNode):
            return self.mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.value(v, (*path, i)) for i, v in enumerate(node.value)]
        assert isinstance(node, ScalarNode)
        self.check_characters(node.value, span)
        return node.value if node.style in ("'", '"', "|", ">") else scalar(node.value)

    def mapping(self, node: MappingNode, path: Path_) -> dict:
        out: dict = {}
        for key, value in node.value:
            span = span_of(key)
            if isinstance(key, MappingNode):
                hint = "write the value: a spec cannot contain variables or templates"
                raise self.fail("a key must not be a mapping", span, hint)
            if not isinstance(key, ScalarNode):
                raise self.fail("a key must be a word", span, "write `key: value`")
            self.check_characters(key.value, span)
            if key.value == "<<":
                raise self.fail(
                    "YAML merge keys are not allowed", span, "write all keys and values"
                )
            if key.value in out:
                first = self.keys[*path, key.value].line + 1
                message = f"duplicate key `{shown(key.value)}` (first defined on line {first})"
                raise self.fail(message, span, "remove one of them")
            self.keys[*path, key.value] = span
            out[key.value] = self.value(value, (*path, key.value))
            if out[key.value] is None and value.start_mark.index == value.end_mark.index:
                self.spans[*path, key.value] = span  # an empty value: the span of the key
        return out


def named(c: str) -> str:
    """The number of a character, and its name if it has one."""
    name = unicodedata.name(c, "").lower()
    return f"U+{ord(c):04X}" + f" ({name})" * bool(name)


def span_after(before: str) -> Span:
    """The span of the character after a text."""
    lines = before.split("\n")
    return Span(len(lines) - 1, len(lines[-1]), len(lines) - 1, len(lines[-1]) + 1)


def at(mark: StringMark | None) -> Span | None:
    """The span of the character at a mark."""
    return Span(mark.line, mark.column, mark.line, mark.column + 1) if mark else None


def span_of(node: Node) -> Span:
    start, end = node.start_mark, node.end_mark
    return Span(start.line, start.column, end.line, end.column)
