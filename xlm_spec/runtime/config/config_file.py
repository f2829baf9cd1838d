"""The content of a `--config` file, and where in the file each setting is."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import yaml

from xlm_spec.diagnostics import Diagnostic, Failed, Span


class ConfigFile(dict):
    """The settings of a file. `of_run`: those of the run that `--resume` continues."""

    def __init__(self, content: dict, file: str, text: str, of_run: bool = False):
        super().__init__(content)
        self.file, self.text, self.of_run = file, text, of_run

    def at(self, found: Diagnostic, keys: Sequence[str]) -> Diagnostic:
        """A diagnostic at the first of the keys that the file has; an unknown key at its name."""
        if found.file:
            return found
        spans = [s for k in keys if (s := span_of(self.text, k, found.code == "X601"))]
        return replace(found, file=self.file, span=next(iter(spans), None), source=self.text)

    @contextmanager
    def placed(self, *keys: str) -> Iterator[None]:
        """Diagnostics that are raised inside name the file and the line of a key."""
        try:
            yield
        except Failed as e:
            raise Failed([self.at(d, keys) for d in e.diagnostics], e.exit_code) from None


def span_of(text: str, key: str, of_name: bool) -> Span | None:
    """Where a dotted key is: its name, else its value. None if the file does not have it."""
    node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    name, rest = None, key
    while rest:
        pairs = node.value if isinstance(node, yaml.MappingNode) else ()
        found = [(k, v) for k, v in pairs if f"{rest}.".startswith(f"{k.value}.")]
        if not found:
            break
        name, node = found[-1]  # YAML takes the last of equal keys
        rest = rest[len(name.value) + 1 :]
    if name is None:
        return None
    shown = name if of_name or rest else node
    start, end = shown.start_mark, shown.end_mark
    return Span(start.line, start.column, end.line, end.column)
