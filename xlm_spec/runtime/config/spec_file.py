"""The spec of a package: its folder, and the names of what is written in it."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml


def spec_folder(package) -> Path:
    """The folder of the spec: `.xlm/origin` holds it since the last build; else the package's."""
    home = Path(package.__file__).resolve().parent.parent
    note = home / ".xlm" / "origin"
    return home / note.read_text(encoding="utf-8").strip() if note.is_file() else home


def written_in_spec(package) -> set[str]:
    """The dotted names of all values in the spec of a package; empty if the file is missing."""
    file = Path(package.__file__).resolve().parent.parent / "spec.yaml"
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return set()
    return set(names_in(content))


def names_in(node: object, prefix: str = "") -> Iterator[str]:
    """Dotted names; the items of a list are mappings from the name of a component."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from names_in(value, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(node, list):
        for item in node:
            yield from names_in(item, prefix)
    else:
        yield prefix
