"""The code that settings name (`choices`), imported, checked and built."""

import importlib
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xlm_spec.diagnostics import Diagnostic, Failed, alternatives, first_line
from xlm_spec.runtime.config.choices import OF_FILE, Choice, kind_of, options_of
from xlm_spec.runtime.config.overrides import TYPES
from xlm_spec.runtime.config.settings import NAMES
from xlm_spec.runtime.user_code import EXTENSION, executed_once, failure, source_of

FOLDER = ("folder", "save_dir")  # arguments that get the run folder
GIVEN = (*FOLDER, "run", "tokenizer", "task")  # arguments that are no options


def named(key: str, choice: Choice) -> Any:
    """What a choice names. Raises Failed: X617, X508 if a library is missing."""
    kind = kind_of(choice)
    path = NAMES[key].get(kind, kind)
    of_file = OF_FILE.fullmatch(path)
    if of_file:
        file = Path(of_file["file"])
        module: Any = executed_once(file, source_of(file, EXTENSION))
        name = of_file["name"]
    else:
        before, _, name = path.rpartition(".")
        module = imported(key, path, before)
    found = getattr(module, name, None)
    if not callable(found):
        defined = [n for n, v in vars(module).items() if callable(v) and not n.startswith("_")]
        where = of_file["file"] if of_file else module.__name__
        message = f"`{key}`: {where} has no class or function `{name}`"
        raise Failed(Diagnostic("X617", message, alternatives(name, defined)))
    return found


def imported(key: str, path: str, module: str) -> Any:
    try:
        return importlib.import_module(module)
    except Exception as e:  # the code of a library may raise anything
        message = f"`{key}`: cannot import `{path}`: {first_line(e)}"
        hint = "install the library, or write ./file.py:Name"
        raise Failed(Diagnostic("X617", message, hint)) from None


def checked(key: str, choice: Choice, given: Mapping[str, Any], leading: int = 0) -> tuple:
    """What a choice names, and its keyword arguments: those of `given` that it takes, and options.

    `leading`: positional arguments that the caller passes. Raises Failed: X602 for an unknown
    option, X617.
    """
    found, options = named(key, choice), options_of(choice)
    try:
        parameters = [*inspect.signature(found).parameters.values()][leading:]
    except ValueError:  # written in C
        return found, options
    known = [p.name for p in parameters if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)]
    others = any(p.kind == p.VAR_KEYWORD for p in parameters)
    unknown = [k for k in options if k not in known and not others]
    if unknown:
        message = f"`{kind_of(choice)}` has no option `{unknown[0]}`: `{key}.{unknown[0]}`"
        own = [k for k in known if k not in GIVEN]
        hint = alternatives(unknown[0], own) if own else "it has no options"
        raise Failed(Diagnostic("X602", message, hint))
    if str(getattr(found, "__module__", "")).startswith("xlm_spec."):
        check_types(key, kind_of(choice), options, {p.name: p.annotation for p in parameters})
    return found, {k: v for k, v in given.items() if k in known} | options


def check_types(key: str, kind: str, options: Mapping, types: Mapping[str, Any]) -> None:
    """Raises Failed (X602) for an option that is no number, text or boolean as its type says."""
    for name, value in options.items():
        kinds = (int, float) if types.get(name) is float else (types.get(name),)
        if kinds[-1] in TYPES and type(value) not in kinds:
            message = f"`{key}`: option `{name}` of `{kind}` must be {TYPES[kinds[-1]]}"
            raise Failed(Diagnostic("X602", f"{message}, not `{value}`"))


def built(key: str, choice: Choice, given: Mapping[str, Any], of: type) -> Any:
    """The object that a choice makes. Raises Failed: X602, X617, X508."""
    found, arguments = checked(key, choice, given)
    made = called(key, choice, found, **arguments)
    if not isinstance(made, of):
        library = " of Lightning" if of.__module__.startswith("lightning") else ""
        article = "an" if of.__name__[0] in "AEIO" else "a"
        message = f"`{key}`: `{kind_of(choice)}` is not {article} {of.__name__}{library}"
        raise Failed(Diagnostic("X617", message, f"derive it from {of.__module__}.{of.__name__}"))
    return made


def called(key: str, choice: Choice, function: Any, *arguments: Any, **options: Any) -> Any:
    """Calls the code of others; its exceptions become diagnostics. Raises Failed: X602, X617."""
    try:
        return function(*arguments, **options)
    except Failed:
        raise
    except Exception as e:
        raised = raised_in(e, [kind_of(choice)])
        if raised:
            raise raised from None
        message = f"`{key}`: `{kind_of(choice)}` cannot be made: {first_line(e)}"
        raise Failed(Diagnostic("X602", message, f"options: {options_of(choice)}")) from None


def raised_in(e: BaseException, kinds: list[str]) -> Failed | None:
    """The diagnostic of an exception that a file of an extension raised; None for any other."""
    files = [Path(f["file"]) for f in map(OF_FILE.fullmatch, kinds) if f]
    frame, inside = e.__traceback__, set[str]()
    while frame is not None:
        inside.add(frame.tb_frame.f_code.co_filename)
        frame = frame.tb_next
    file = next((f for f in files if str(f) in inside), None)
    return failure(e, file, source_of(file, EXTENSION), EXTENSION) if file else None
