"""Python source: calls and imports in ruff's format, so that no formatter is needed."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

WIDTH = 100


@dataclass(frozen=True)
class Call:
    """`function(arguments)`."""

    function: str
    arguments: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.function}({', '.join(self.arguments)})"

    def named(self, function: str) -> "Call":
        """The same arguments for another function."""
        return Call(function, self.arguments)

    def lines(self, before: str = "", after: str = "", indent: int = 0) -> list[str]:
        """The call between `before` and `after`, on several lines if it is too long."""
        space = " " * indent
        line = f"{space}{before}{self}{after}"
        if len(line.partition("  # ")[0]) <= WIDTH or not self.arguments:
            return fit_comment(line, space)
        whole = f"{space}    {', '.join(self.arguments)}"
        fits = len(whole) <= WIDTH
        parts = [whole] if fits else [f"{space}    {a}," for a in self.arguments]
        return [f"{space}{before}{self.function}(", *parts, f"{space}){after}"]


def fit_comment(line: str, space: str) -> list[str]:
    """The line, with its comment moved above it if it is too long."""
    code, mark, comment = line.partition("  # ")
    return [f"{space}# {comment}", code] if mark and len(line) > WIDTH else [line]


def commented(code: str, comment: str) -> list[str]:
    """Code with a comment behind it, or above it."""
    space = code[: len(code) - len(code.lstrip())]
    return fit_comment(f"{code}  # {comment}", space) if comment else [code]


def mapping(entries: dict[str, str], indent: int) -> list[str]:
    """`return {...}`, on one line if it fits."""
    space = " " * indent
    pairs = [f'"{k}": {v}' for k, v in entries.items()]
    line = f"{space}return {{{', '.join(pairs)}}}"
    if len(line) <= WIDTH:
        return [line]
    return [f"{space}return {{", *(f"{space}    {p}," for p in pairs), f"{space}}}"]


def assigned(name: str, entries: dict[str, str], comment: str = "") -> list[str]:
    """`NAME = {...}`, on one line if it fits; the comment is on the first line."""
    pairs = [f'"{k}": {v}' for k, v in entries.items()]
    line = f"{name} = {{{', '.join(pairs)}}}{comment}"
    if len(line) <= WIDTH:
        return [line]
    return [f"{name} = {{{comment}", *(f"    {p}," for p in pairs), "}"]


def imports(wanted: Mapping[str, Iterable[str]]) -> str:
    """Import statements in isort's order; `wanted[""]` lists modules for `import NAME`."""
    plain = sorted(wanted.get("", ()))
    groups: list[list[str]] = [[], [], []]
    for name in plain:
        groups[group(name.split(" ")[0])].append(f"import {name}")
    for module in sorted((m for m in wanted if m), key=str.lower):
        names = sorted(set(wanted[module]), key=order)
        if names:
            call = f"from {module} import {', '.join(names)}"
            if len(call) > WIDTH:
                call = "\n".join([f"from {module} import (", *(f"    {n}," for n in names), ")"])
            groups[group(module)].append(call)
    return "\n\n".join("\n".join(g) for g in groups if g)


def group(module: str) -> int:
    if module.startswith("."):
        return 2
    return 0 if module.split(".")[0] in sys.stdlib_module_names else 1


def order(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2
    return kind, name
