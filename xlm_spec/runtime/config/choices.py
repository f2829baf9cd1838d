"""Settings whose value is code: a name, an import path or `./file.py:Name`, and its options.

A value is a string or, with options, a mapping with `kind`. Some settings are lists of values.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import yaml

from xlm_spec.diagnostics import Diagnostic, Failed, alternatives
from xlm_spec.runtime.config.settings import NAMES, Data, Train

OF_FILE = re.compile(r"(?P<file>.+\.py):(?P<name>[A-Za-z_]\w*)")
OF_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
SECTIONS = ("data", Data), ("train", Train)
LISTS = {f"{section}.{f.name}" for section, of in SECTIONS for f in fields(of) if f.type is tuple}
NONE = "none"  # an empty list
Choice = str | dict


def kind_of(choice: Choice) -> str:
    return choice if isinstance(choice, str) else choice["kind"]


def options_of(choice: Choice) -> dict:
    return {} if isinstance(choice, str) else {k: v for k, v in choice.items() if k != "kind"}


def choice(kind: str, options: Mapping) -> Choice:
    return {"kind": kind, **options} if options else kind


def owner_of(key: str) -> str:
    """The setting of an option: `train.optimizer` of `train.optimizer.momentum`; else ""."""
    return next((k for k in NAMES if key.startswith(f"{k}.")), "")


def converted(key: str, value: object, many: bool) -> Choice | tuple[Choice, ...]:
    """The value of a setting in its standard form. Raises Failed (X602)."""
    value = read(value)
    if not many:
        return one(key, value)
    parts = value if isinstance(value, list | tuple) else [value]
    if isinstance(value, str):
        parts = [v.strip() for v in value.split(",") if v.strip()]
    if value in (NONE, [NONE]):
        return ()
    return tuple(one(key, v) for v in parts)


def one(key: str, value: object) -> Choice:
    """One value. Raises Failed (X602)."""
    mapping = isinstance(value, Mapping)
    kind = value.get("kind") if isinstance(value, Mapping) else value
    if not isinstance(kind, str):
        form = "a mapping with `kind`" if mapping else "a name or a mapping with `kind`"
        raise Failed(Diagnostic("X602", f"`{key}` must be {form}, not `{value}`", known(key, "")))
    if kind.endswith(".py"):
        message = f"`{key}` = `{kind}` names a file, but nothing in it"
        raise Failed(Diagnostic("X602", message, f"write {kind}:NAME"))
    if kind not in NAMES[key] and not OF_FILE.fullmatch(kind) and not OF_MODULE.fullmatch(kind):
        raise Failed(Diagnostic("X602", f"`{key}` cannot be `{kind}`", known(key, kind)))
    options = value if isinstance(value, Mapping) else {}
    strange = [k for k in options if not isinstance(k, str)]
    if strange:
        message = f"`{key}`: an option of `{kind}` must have a name, not `{strange[0]}`"
        raise Failed(Diagnostic("X602", message, "write {kind: NAME, OPTION: VALUE}"))
    return choice(kind, {k: read(v) for k, v in options.items() if k != "kind"})


def known(key: str, kind: str) -> str:
    """The hint for a value that does not exist."""
    before = f"{alternatives(kind, NAMES[key])}; or" if NAMES[key] else "write"
    empty = f"; {NONE} or [] for an empty list" if key in LISTS else ""
    return f"{before} an import path (package.module.Name), or ./file.py:Name{empty}"


def read(value: object) -> object:
    """A value of the command line: numbers, booleans, lists and mappings from their text."""
    if not isinstance(value, str):
        return value
    if NUMBER.fullmatch(value):
        return int(value) if re.fullmatch(r"[-+]?\d+", value) else float(value)
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    if value[:1] in ("[", "{"):
        try:
            return yaml.safe_load(value)
        except yaml.YAMLError:
            return value
    return value


def with_option(key: str, old: Choice, option: str, value: object) -> Choice:
    """A choice with another option. Raises Failed (X602) if it is a list."""
    if isinstance(old, tuple):
        message = f"`{key}` is a list, so its options have no names of their own"
        hint = f"write --set '{key}=[{{kind: NAME, {option}: {value}}}]'"
        raise Failed(Diagnostic("X602", message, hint))
    return choice(kind_of(old), options_of(old) | {option: read(value)})


def located(settings: Mapping, folder: Path) -> dict:
    """Settings with the paths of files resolved from a folder."""
    return {k: at(v, folder) if k in NAMES else v for k, v in settings.items()}


def at(value: object, folder: Path) -> object:
    value = read(value)
    if isinstance(value, str):
        parts = [v.strip() for v in value.split(",")]
        found = [OF_FILE.fullmatch(v) for v in parts]
        paths = [
            f"{(folder / Path(f['file']).expanduser()).resolve()}:{f['name']}" if f else v
            for f, v in zip(found, parts, strict=True)
        ]
        return ",".join(paths)
    if isinstance(value, Mapping):
        return {k: at(v, folder) if k == "kind" else paths_at(v, folder) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [at(v, folder) for v in value]
    return value


def paths_at(value: object, folder: Path) -> object:
    """An option, at any depth: text that begins with ./ or ../ is a path."""
    if isinstance(value, Mapping):
        return {k: paths_at(v, folder) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [paths_at(v, folder) for v in value]
    is_path = isinstance(value, str) and value.startswith(("./", "../"))
    return str((folder / str(value)).resolve()) if is_path else value


def expanded(settings: Mapping) -> dict:
    """Settings to print: the options of a value by their own names."""
    out: dict = {}
    for key, value in settings.items():
        if key not in NAMES:
            out[key] = value
        elif isinstance(value, tuple):
            out[key] = ", ".join(map(str, value)) or NONE
        else:
            out[key] = kind_of(value)
            out |= {f"{key}.{k}": v for k, v in options_of(value).items()}
    return out


def injected(settings: Mapping) -> dict[str, str]:
    """The code of others that settings name -> the SHA-256 of its file, or the library's version.

    "" for a file or a library that cannot be found.
    """
    found = {}
    for key, names in NAMES.items():
        value = settings.get(key, ())
        for each in value if isinstance(value, tuple) else (value,):
            kind = kind_of(each)
            if kind not in names:
                found[kind] = version_of(kind)
            for inner in code_in(options_of(each)):
                found[inner] = version_of(inner)
    return found


def code_in(node: object) -> list[str]:
    """The functions of files that options name, at any depth."""
    if isinstance(node, Mapping):
        return [c for v in node.values() for c in code_in(v)]
    if isinstance(node, list | tuple):
        return [c for v in node for c in code_in(v)]
    return [node] if isinstance(node, str) and OF_FILE.fullmatch(node) else []


def version_of(kind: str) -> str:
    of_file = OF_FILE.fullmatch(kind)
    if of_file:
        try:
            return f"sha256 {hashlib.sha256(Path(of_file['file']).read_bytes()).hexdigest()}"
        except OSError:
            return ""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"{kind.split('.')[0]} {version(kind.split('.')[0])}"
    except PackageNotFoundError:
        return ""
