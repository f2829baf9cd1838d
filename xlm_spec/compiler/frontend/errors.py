"""Schema error -> diagnostics (X102 to X107).

An error has one or more locations, each with a kind of fault. The kind gives the message; the first
case that applies (`cases`) gives the hint.
"""

from jsonschema.exceptions import ValidationError

from xlm_spec.compiler.frontend import (
    item_cases,
    key_cases,
    missing_cases,
    type_cases,
    value_cases,
)
from xlm_spec.compiler.frontend.cases import answer
from xlm_spec.compiler.frontend.faults import faults
from xlm_spec.compiler.frontend.load import Document, Path_
from xlm_spec.compiler.frontend.location import Location
from xlm_spec.diagnostics import Diagnostic, shown

VALID_NAME = "use lower-case letters, digits and single underscores, and start with a letter"
WORDS = {
    "number": "a number",
    "integer": "an integer",
    "string": "a string",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}


def explain(doc: Document, error: ValidationError) -> list[Diagnostic]:
    """The diagnostics of a schema error; none if another error reports the same."""
    return [diagnostic(kind, location) for kind, location in faults(doc, error)]


def diagnostic(kind: str, location: Location) -> Diagnostic:
    """The diagnostic of a fault."""
    code, message, cases = MESSAGES[kind]
    _, hint = answer(cases, location)
    path = location.path[:-1] if kind == "missing" else location.path
    return location.doc.diagnostic(code, message(location), path, hint, key=location.of_key)


def unknown_key(p: Location) -> str:
    return f"unknown key `{shown(p.key)}` in {dotted(p.path[:-1])}"


def missing_key(p: Location) -> str:
    return f"missing key `{p.key}` in {dotted(p.path[:-1])}"


def not_allowed(p: Location) -> str:
    if p.value is None:
        return f"missing value for {dotted(p.path)}"
    if isinstance(p.value, list | dict):
        return f"{dotted(p.path)} must be one value, not {in_words(p.value)}"
    return f"invalid value {in_words(p.value)} for {dotted(p.path)}"


def wrong_type(p: Location) -> str:
    written = p.written if isinstance(p.value, int | float | str) else ""
    text = f"`{shown(written)}`" if written and isinstance(p.value, str) else written
    value = "but it is empty" if p.value is None else f"not {text or in_words(p.value)}"
    return f"{dotted(p.path)} must be {WORDS[p.rules['type']]}, {value}"


def invalid_name(p: Location) -> str:
    name = p.key if p.of_key else p.value
    return f"`{shown(name)}` is not a valid name: {VALID_NAME}"


def empty(p: Location) -> str:
    return f"{dotted(p.path)} is empty"


def several(p: Location) -> str:
    return f"{dotted(p.path[:-1])} has {len(p.known)} entries in one mapping"


def out_of_range(p: Location) -> str:
    low = p.rules.get("minimum", p.rules.get("exclusiveMinimum"))
    high = p.rules.get("maximum", p.rules.get("exclusiveMaximum"))
    left = "(" if low is None or "exclusiveMinimum" in p.rules else "["
    right = ")" if high is None or "exclusiveMaximum" in p.rules else "]"
    end = f"{-float('inf') if low is None else low:g}, {float('inf') if high is None else high:g}"
    text = shown(p.written or p.value)
    return f"{dotted(p.path)} = {text} is outside {left}{end}{right}"


MESSAGES = {  # kind of fault -> code, message, and the cases of its hint
    "key": ("X102", unknown_key, key_cases.UNKNOWN),
    "item": ("X102", unknown_key, item_cases.UNKNOWN),
    "missing": ("X103", missing_key, missing_cases.MISSING),
    "empty": ("X103", empty, missing_cases.MISSING),
    "several": ("X104", several, item_cases.SEVERAL),
    "value": ("X105", not_allowed, value_cases.NOT_ALLOWED),
    "range": ("X106", out_of_range, value_cases.OUTSIDE),
    "name": ("X107", invalid_name, type_cases.NAME),
    **{type_: ("X104", wrong_type, cases) for type_, cases in type_cases.TABLES.items()},
}


# ---- words ---------------------------------------------------------------------------------------


def dotted(path: Path_) -> str:
    text = "".join(f"[{p}]" if isinstance(p, int) else f".{shown(p)}" for p in path).lstrip(".")
    return f"`{text}`" if text else "the spec"


def in_words(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case str():
            return f"`{shown(value)}`"
        case _:
            return str(value)
