"""The settings of the runtime that a spec can set under `data` and `train`, and the tasks."""

import ast
import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from xlm_spec.compiler.components import HERE, Component, Parameter, definition, read, signature

TASKS = HERE / "runtime" / "tasks"


@cache
def settings() -> Component:
    """The settings of the runtime (`data`, `train`), read like a component."""
    source = HERE / "runtime" / "config" / "settings.py"
    return read(source.read_text(encoding="utf-8"), "runtime", "settings")


def code_settings() -> dict[str, dict[str, str]]:
    """The settings whose value is code, by dotted name: their names, and what these stand for."""
    names: dict[str, dict[str, str]] = settings().constants["NAMES"]
    return names


def entry_keys() -> dict[str, dict[str, object]]:
    """The lists of code, by dotted name: the keys of their entries, and what these allow."""
    keys: dict[str, dict[str, object]] = settings().constants["ENTRIES"]
    return keys


def is_code(path: tuple[str | int, ...]) -> bool:
    """Is it the path of a setting whose value is code, or a path inside of its value?"""
    return ".".join(map(str, path[:2])) in code_settings()


def code_names(path: tuple[str | int, ...]) -> list[str]:
    """The names of the code that can be the value of a setting, at its path or inside of it."""
    return [*code_settings()[".".join(map(str, path[:2]))]]


@dataclass(frozen=True)
class Code:
    """What a name of a setting stands for. `options`: all that it has; None if unknown."""

    path: str
    meaning: str = ""
    options: tuple[Parameter, ...] | None = None


def code(path: str) -> Code:
    """The code at an import path; of a module of the runtime, its meaning and its options."""
    module, _, name = path.rpartition(".")
    file = module_file(module)
    if not file:
        return Code(path)
    source = file.read_text(encoding="utf-8")
    node = next(n for n in ast.parse(source).body if getattr(n, "name", "") == name)
    assert isinstance(node, ast.FunctionDef | ast.ClassDef)
    meaning = (ast.get_docstring(node) or "").partition("\n")[0]
    made = node if isinstance(node, ast.FunctionDef) else initializer(node)
    if made is None or made.args.kwarg:
        return Code(path, meaning)
    known = signature(made, source.split("\n"), {})
    texts = [n for n, kind in known.wires.items() if "str" in kind.split(" | ")]
    options = (*known.parameters, *(Parameter(n, "str", None, "") for n in texts))
    plain = not known.defaults and all(p.type in ("float", "int", "bool", "str") for p in options)
    return Code(path, meaning, options if plain else None)


def initializer(node: ast.ClassDef) -> ast.FunctionDef | None:
    found = (n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__")
    return next(found, None)


def module_file(module: str) -> Path | None:
    """The file of a module of the runtime; None for a library."""
    package = __name__.partition(".")[0]
    inner = module.removeprefix(f"{package}.")
    return HERE / f"{inner.replace('.', '/')}.py" if inner != module else None


def code_files() -> set[Path]:
    """The files of the runtime that names of settings stand for."""
    paths = (path for names in code_settings().values() for path in names.values())
    return {file for p in paths if (file := module_file(p.rpartition(".")[0]))}


def described_as_code(section: str, p: Parameter) -> Parameter:
    """A setting as documentation shows it: the names of the code that can be its value."""
    names = code_settings().get(f"{section}.{p.name}")
    if names is None:
        return p
    many = isinstance(p.default, tuple)
    default = ", ".join(p.default) if isinstance(p.default, tuple) else p.default
    return replace(
        p, type="list of code" if many else "code", choices=tuple(names), default=default or None
    )


@cache
def default_task() -> str:
    """The default task, from the settings of the runtime."""
    return str(next(p.default for p in settings().fields["Data"] if p.name == "task"))


@cache
def tasks() -> dict[str, tuple[Parameter, ...]]:
    """The shipped tasks, and the options of each that a spec can set under `data`.

    The options are the fields of the class `Options` in its file, or in one that it imports from;
    their defaults are those of its task.
    """
    found = {p.stem: p.read_text(encoding="utf-8") for p in sorted(TASKS.glob("*.py"))}
    of_file = {stem: options(source) for stem, source in found.items()}
    out = {}
    for name, source in found.items():
        if re.search(r"^TASK = ", source, re.M):
            parts = [name, *re.findall(r"^from xlm_spec\.runtime\.tasks\.(\w+)", source, re.M)]
            found_here = next((of_file[p] for p in parts if of_file[p]), ())
            out[name] = with_defaults(found_here, source)
    return out


def with_defaults(parameters: tuple[Parameter, ...], source: str) -> tuple[Parameter, ...]:
    """The options with the values that the file of a task gives to `Options(...)`."""
    calls = (n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call))
    made = next((c for c in calls if isinstance(c.func, ast.Name) and c.func.id == "Options"), None)
    plain = [k for k in made.keywords if isinstance(k.value, ast.Constant)] if made else []
    given = {k.arg: ast.literal_eval(k.value) for k in plain}
    return tuple(replace(p, default=given.get(p.name, p.default)) for p in parameters)


def options(source: str) -> tuple[Parameter, ...]:
    """The fields of `Options` in the source of a task."""
    classes = (n for n in ast.parse(source).body if isinstance(n, ast.ClassDef))
    node = next((n for n in classes if n.name == "Options"), None)
    if node is None:
        return ()
    text = definition(node, node.name, source.splitlines()).text
    return read(text, "tasks", node.name).fields[node.name]
