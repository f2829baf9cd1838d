"""What a person is told of one error that the schema finds (X102 to X107)."""

from typing import Any

from jsonschema.exceptions import ValidationError

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import cards
from xlm_spec.compiler.form import key_hints, value_hints
from xlm_spec.compiler.form.load import Document, Path_
from xlm_spec.compiler.form.words import (
    axis_at,
    item_of,
    key_meant,
    language,
    meant,
    place_of,
    places,
)
from xlm_spec.diagnostics import Diagnostic, nearest, shown

WORDS = {
    "number": "a number",
    "integer": "a whole number",
    "string": "a text",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}
FORMS: dict[type, int] = {dict: 1, list: 2}  # which alternative is meant; a word: the first
RANGES = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"]
ADD = {
    "xlm_spec": "add `xlm_spec: 1`, the version of the language",
    "name": "add `name:`, the name of the package: small letters and digits, joined by _",
    "noise": "add `noise: {process: …}`",
}


def explain(doc: Document, error: ValidationError) -> list[Diagnostic]:
    """What a person is told of one schema error; nothing where another error says it."""
    path = tuple(error.absolute_path)
    value: Any = error.instance
    wanted: Any = error.validator_value
    rules: Any = error.schema
    if path[:1] == axes.SAMPLER.parts and kind_forgotten(doc):
        return [kind_of_sampler(doc)]
    match error.validator:
        case "additionalProperties":
            known = list(rules["properties"])
            unknown = [k for k in value if k not in known]
            if "kind" in known and "kind" not in value and not item_of(path):
                unknown = [k for k in unknown if is_kind(k)]  # without it no other can be told
            return strangers(doc, path, unknown, known)
        case "required":
            return [missing(doc, path, k) for k in wanted if gone(doc, path, k, rules)]
        case "enum" | "const" | "type" | "anyOf" if left_empty(doc, path):
            return []
        case "anyOf":
            form = FORMS.get(type(value), 0)
            chosen = form if form < len(wanted) - 1 else 0  # the last is a path
            found = [e for e in error.context or [] if e.relative_schema_path[0] == chosen]
            return [d for e in found for d in explain(doc, e)]
        case "enum" if path == ("data", "task"):
            return []  # told by `task`
        case "enum" | "const":
            known = wanted if error.validator == "enum" else [wanted]
            return [not_allowed(doc, path, value, known)]
        case "type":
            return [] if "enum" in rules else [wrong_type(doc, path, value, wanted, rules)]
        case "pattern":
            return [no_name(doc, path, str(value), "propertyNames" in error.absolute_schema_path)]
        case "minItems" | "minProperties":
            return [empty(doc, path, value)]
        case "maxProperties":
            return several(doc, path, list(value))
        case rule if rule in RANGES:
            return [out_of_range(doc, path, value, rules)]
        case _:
            return [doc.diagnostic("X104", f"{dotted(path)}: {shown(error.message)}", path)]


# ---- keys ----------------------------------------------------------------------------------------


def strangers(doc: Document, path: Path_, found: list[str], known: list[str]) -> list[Diagnostic]:
    """Unknown keys of a mapping."""
    out, outside = [], not_indented(doc, path)
    told_of_owner: set[str] = set()
    for key in found:
        owner = outside.get(key, "")
        if owner in told_of_owner:
            continue
        outer = f"indent it under `{owner}:`" if owner else ""
        hint = outer or key_hints.for_key(doc, (*path, key), known)
        told = f"unknown key `{shown(key)}` in {dotted(path)}"
        out.append(doc.diagnostic("X102", told, (*path, key), hint, key=True))
        told_of_owner |= {owner} - {""}
        if item_of(path) and key in ("kind", *axes.KIND):
            return out[-1:]  # what is written instead takes the other keys along
    return out


def not_indented(doc: Document, path: Path_) -> dict[str, str]:
    """Keys that belong inside the one above them, which holds nothing -> that one."""
    item = item_of(path)
    known = cards(item) if item else language().get(place_of(path), {})
    out, owner = dict[str, str](), ""
    for key in doc.at(path):
        if doc.at((*path, key)) is None and key != "kind":
            owner = key
        elif owner and key not in known and place_of((*path, owner)) in places(key):
            out[key] = owner
        else:
            owner = ""
    return out


def left_empty(doc: Document, path: Path_) -> bool:
    """Does a key hold nothing because what belongs inside stands below it?"""
    inside = isinstance(doc.at(path[:-1]), dict) and bool(path)
    empty = inside and doc.at(path) is None
    return empty and path[-1] in not_indented(doc, path[:-1]).values()


def gone(doc: Document, path: Path_, key: str, rules: dict) -> bool:
    """Is a key missing that does not stand there, or elsewhere, under another name?"""
    here, known = doc.at(path), rules.get("properties", {})
    legal = language().get(place_of(path), {}) if path else {}
    others = [k for k in here if k not in known and (k not in legal or item_of(path))]
    named = (p[:-1] for p in doc.keys if p[-1] == key)
    moved = (key not in language().get(place_of(p), ()) for p in named)
    return not (
        key in here
        or any(nearest(k, [key]) or key_meant(place_of(path), k, [key]) for k in others)
        or (key not in ("kind", "name") and any(moved))
        or (not path and any({p[:1] for p in places(k)} == {(key,)} for k in others))
    )


def is_kind(key: str) -> bool:
    """Does a key stand for `kind`?"""
    return key in axes.KIND or nearest(key, ["kind"]) is not None


def missing(doc: Document, path: Path_, key: str) -> Diagnostic:
    axis = axis_at((*path, key))
    hint = f"{axis.meaning}; one of: {', '.join(cards(axis))}" if axis else ADD.get(key, "")
    hint = key_hints.for_kind(doc, path) or hint if axis and key == "kind" else hint
    return doc.diagnostic("X103", f"{dotted(path)} has no `{key}`", path, hint, key=True)


def kind_forgotten(doc: Document) -> bool:
    """Is `sampler` one sampler without its `kind`, rather than names and samplers?"""
    place = axes.SAMPLER.parts
    value = doc.at(place)
    if not isinstance(value, dict) or "kind" in value:
        return False
    own = {k: v for k, v in value.items() if k in language()[place]}
    return any(not isinstance(v, dict) and not meant(axes.SAMPLER, v)[0] for v in own.values())


def kind_of_sampler(doc: Document) -> Diagnostic:
    """Of one sampler without its `kind`."""
    path, value = axes.SAMPLER.parts, doc.at(axes.SAMPLER.parts)
    named = next((k for k in value if k in axes.KIND and meant(axes.SAMPLER, value[k])[0]), None)
    if named is None:
        return missing(doc, path, "kind")
    return strangers(doc, path, [named], ["kind"])[0]


def no_name(doc: Document, path: Path_, name: str, is_key: bool) -> Diagnostic:
    told = f"`{shown(name)}` is no name: words of small letters and digits, joined by _"
    other = value_hints.name(name)
    hint = f"for example `{other}`" if other else ""
    return doc.diagnostic("X107", told, (*path, name) if is_key else path, hint, key=is_key)


# ---- values --------------------------------------------------------------------------------------


def not_allowed(doc: Document, path: Path_, value: object, known: list) -> Diagnostic:
    message = f"{dotted(path)}: {told_of(value)} is not one of its values"
    return doc.diagnostic("X105", message, path, value_hints.for_value(doc, path, value, known))


def wrong_type(doc: Document, path: Path_, value: object, wanted: str, rules: dict) -> Diagnostic:
    written = doc.written(path) if isinstance(value, int | float | str) else ""
    told = (
        f"`{shown(written)}`" if written and isinstance(value, str) else written or told_of(value)
    )
    message = f"{dotted(path)} is {WORDS[wanted]}, not {told}"
    hint = value_hints.for_type(doc, path, value, wanted, rules)
    return doc.diagnostic("X104", message, path, hint)


def empty(doc: Document, path: Path_, value: object) -> Diagnostic:
    axis = axis_at(path)
    hint = f"{axis.meaning}; one of: {', '.join(cards(axis))}" if axis else ""
    return doc.diagnostic("X103", f"{dotted(path)} is an empty {told_of(value)[2:]}", path, hint)


def several(doc: Document, path: Path_, names: list[str]) -> list[Diagnostic]:
    """Of an item that names more than one target or loss."""
    item = item_of(path)
    known = [n for n in names if item and n in cards(item)]
    if len(known) < 2:
        return []
    told = f"{dotted(path)} holds {len(known)} entries in one mapping"
    second = (*path, known[1])
    hint = f"write a list: `[{', '.join(f'{n}: …' for n in known)}]`"
    return [doc.diagnostic("X104", told, second, hint, key=True)]


def out_of_range(doc: Document, path: Path_, value: object, rule: dict) -> Diagnostic:
    low = rule.get("minimum", rule.get("exclusiveMinimum"))
    high = rule.get("maximum", rule.get("exclusiveMaximum"))
    left = "(" if low is None or "exclusiveMinimum" in rule else "["
    right = ")" if high is None or "exclusiveMaximum" in rule else "]"
    end = f"{-float('inf') if low is None else low:g}, {float('inf') if high is None else high:g}"
    message = (
        f"{dotted(path)} = {shown(doc.written(path) or value)} lies outside {left}{end}{right}"
    )
    return doc.diagnostic("X106", message, path, value_hints.for_range(path, value, rule))


# ---- words ---------------------------------------------------------------------------------------


def dotted(path: Path_) -> str:
    text = "".join(f"[{p}]" if isinstance(p, int) else f".{shown(p)}" for p in path).lstrip(".")
    return f"`{text}`" if text else "the spec"


def told_of(value: object) -> str:
    match value:
        case None:
            return "nothing"
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
