"""The content of a `--config` file, and where in the file each setting is."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from xlm_spec.diagnostics import Diagnostic, Failed, Span
from xlm_spec.runtime.config.overrides import Setting, flat

# Keys of config.yaml that are no settings.
HEAD = ("package", "task", "size", "init", "teacher", "injected", "vocab")


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


def settings_in(config: Mapping) -> dict[str, Setting]:
    """The settings of a config.yaml."""
    return flat({k: v for k, v in config.items() if k not in HEAD})


def read_config(file: Path, of_run: bool = False) -> ConfigFile:
    """The content of a config.yaml. Raises Failed (X606)."""
    text, span = "", None
    try:
        text = file.read_text(encoding="utf-8-sig")
        content = yaml.safe_load(text)
        flat(content)
    except (OSError, yaml.YAMLError, UnicodeDecodeError, RecursionError) as e:
        reason = getattr(e, "strerror", None) or "not YAML"
        mark = getattr(e, "problem_mark", None)
        if mark is not None:
            span = Span(mark.line, mark.column, mark.line, mark.column + 1)
        message = f"cannot read the config: {reason}"
        raise Failed(Diagnostic("X606", message, "", str(file), span, text)) from None
    if not isinstance(content, dict):
        raise Failed(Diagnostic("X606", "the config is not a mapping", file=str(file)))
    return ConfigFile(content, str(file), text, of_run)
