"""The numbers of a config, and configs with other numbers."""

from dataclasses import is_dataclass, replace
from typing import Any


def numbers(config) -> dict[str, Any]:
    """The numbers of a config, by name, without names that are there twice."""
    found: dict[str, list] = {}
    todo = [config]
    while todo:
        for name, value in vars(todo.pop()).items():
            if is_dataclass(value):
                todo.append(value)
            elif isinstance(value, int | float):
                found.setdefault(name, []).append(value)
    return {name: values[0] for name, values in found.items() if len(values) == 1}


def with_parameters(config, parameters: dict[str, Any]):
    """A config with some parameters replaced, by dotted name."""
    for name, value in parameters.items():
        config = replaced(config, name.split("."), value)
    return config


def replaced(config, path: list[str], value):
    first, *rest = path
    old = getattr(config, first)
    if rest:
        assert is_dataclass(old)
        value = replaced(old, rest, value)
    elif isinstance(old, float):
        value = float(value)
    return replace(config, **{first: value})
