"""The forms of a setting in a spec, as JSON Schema: a number, or code with its options."""

from xlm_spec.compiler.components import Parameter
from xlm_spec.compiler.frontend import hover
from xlm_spec.compiler.frontend.forms import number
from xlm_spec.compiler.runtime_settings import (
    Code,
    code,
    code_settings,
    described_as_code,
    entry_keys,
)

CODE = r"^(?!.*\.py$)[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$|\.py:[A-Za-z_]\w*$"  # of a user or a library
PATHS = "write an import path (package.module.Name), or ./file.py:Name"
CODE_MEANING = "a name, an import path, or ./file.py:Name; the other keys are its options"


def setting(section: str, p: Parameter) -> dict:
    """The schema of a setting: a number, or the name or path of code, with options."""
    names = code_settings().get(f"{section}.{p.name}")
    if names is None:
        return number(p)
    shipped = {n: code(path) for n, path in names.items()}
    path = f"{section}.{p.name}"
    enum = {
        "title": path,
        "enum": [*names],
        "markdownEnumDescriptions": [hover.of_code(c) for c in shipped.values()],
    }
    pattern = {"title": "code", "pattern": CODE, "patternErrorMessage": PATHS}
    other = {"type": "string"} | pattern
    name = {"title": path, "type": "string", "anyOf": [enum, pattern]} if names else other
    forms = [name, with_options(path, name, shipped)]
    described = {
        "title": path,
        "description": p.meaning,
        "markdownDescription": hover.of_parameter(described_as_code(section, p)),
    }
    if p.type == "tuple":  # without a default, which editors would suggest as a value
        many = {"title": path, "type": "array", "items": {"anyOf": [*forms, other]}}
        return described | {"anyOf": [*forms, many, other]}
    return described | {"default": p.default, "anyOf": [*forms, other]}


def with_options(path: str, name: dict, shipped: dict[str, Code]) -> dict:
    """The name of code, and its options: those of shipped code are known."""
    known = {n: c.options for n, c in shipped.items() if c.options is not None}
    keys: dict[str, dict] = {k: {} for k in entry_keys().get(path, ())}  # `validate` checks them
    branches = [
        {
            "if": {"properties": {"kind": {"type": "string", "pattern": f"^{n}$"}}},
            "then": {
                "properties": {"kind": True} | keys | {p.name: number(p) for p in options},
                "additionalProperties": False,
            },
        }
        for n, options in known.items()
    ]
    out = {
        "title": path,
        "description": CODE_MEANING,
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": name | {"markdownDescription": hover.sentence(CODE_MEANING)}} | keys,
    }
    return out | {"if": {"required": ["kind"]}, "then": {"allOf": branches}} if branches else out
