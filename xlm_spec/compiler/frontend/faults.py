"""Schema error -> the faults of a document, each once, with its location."""

import re
from collections.abc import Iterator
from typing import Any

from jsonschema.exceptions import ValidationError

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import components_of
from xlm_spec.compiler.frontend.load import Document, Path_
from xlm_spec.compiler.frontend.location import (
    Location,
    item_of,
    legal,
    of_key,
    of_missing,
    of_value,
    section,
)
from xlm_spec.compiler.frontend.other_words import KIND
from xlm_spec.compiler.frontend.synonyms import key_meant, language, meant, plain, sections_with
from xlm_spec.compiler.runtime_settings import is_code
from xlm_spec.diagnostics import nearest

OF_ANY_FILE = {"type": "object"}  # the parameters of a custom file that was not read
FORMS: dict[type, int] = {dict: 1, list: 2}  # the alternative that is meant; 0 for a word
RANGES = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"]
Faults = Iterator[tuple[str, Location]]  # the kind (a key of `errors.MESSAGES`), and where


def faults(doc: Document, error: ValidationError) -> Faults:
    """The faults, without those that another error reports."""
    path = tuple(error.absolute_path)
    value: Any = error.instance
    expected: Any = error.validator_value
    rules: Any = error.schema
    if path[:1] == axes.SAMPLER.parts and without_kind(doc):
        yield sampler_without_kind(doc)
        return
    match error.validator:
        case "additionalProperties":
            patterns = rules.get("patternProperties", ()) if item_of(doc, path) is None else ()
            yield from unknown(doc, path, [*rules["properties"]], [*patterns])
        case "required" if is_code(path):
            yield code_without_kind(doc, path)
        case "required":
            yield from missing(doc, path, expected, [*rules.get("properties", ())])
        case "enum" | "const" | "type" | "anyOf" if left_empty(doc, path):
            pass
        case "anyOf":
            form = FORMS.get(type(value), 0)
            fits = form < len(expected) - 1 and expected[form] != {"type": "number"}
            chosen = form if fits else 0  # the last is a path
            found = (e for e in error.context or () if e.relative_schema_path[0] == chosen)
            yield from (w for e in found for w in faults(doc, e))
        case "enum" | "const" if path != ("data", "task"):  # `validate.task` reports that
            known = expected if error.validator == "enum" else [expected]
            yield "value", of_value(doc, path, known, rules)
        case "type" if rules == OF_ANY_FILE:  # the schema of this file reports it
            pass
        case "type" if "enum" not in rules:
            yield expected, of_value(doc, path, [], rules)
        case "pattern" if "propertyNames" in error.absolute_schema_path:
            yield "name", of_key(doc, (*path, value), [])
        case "pattern":
            kind = "value" if is_code(path) or axes.at(path, doc.values) else "name"
            yield kind, of_value(doc, path, [], rules)
        case "minItems" | "minProperties":
            yield "empty", of_value(doc, path, [], rules)
        case "maxProperties":
            known = [k for k in value if k in rules["properties"]]
            if len(known) > 1:
                yield "several", of_key(doc, (*path, known[1]), known)
        case rule if rule in RANGES:
            yield "range", of_value(doc, path, [], rules)


def unknown(doc: Document, path: Path_, known: list[str], patterns: list[str]) -> Faults:
    """Unknown keys of a mapping; only the first of several that belong under one key."""
    value, item, outside = doc.at(path), item_of(doc, path), not_indented(doc, path)
    keys = [k for k in value if k not in known and not any(re.search(p, k) for p in patterns)]
    if item:  # the hint for a synonym of `kind` includes the other keys
        keys = [k for k in keys if k in ("kind", *KIND)][:1] or keys
    elif "kind" in known and "kind" not in value:  # without `kind` all others are unknown
        keys = [k for k in keys if is_kind(k)]
    for i, key in enumerate(keys):
        above = outside.get(key, "")
        if not above or above not in map(outside.get, keys[:i]):
            yield "item" if item else "key", of_key(doc, (*path, key), known, above)


def not_indented(doc: Document, path: Path_) -> dict[str, str]:
    """Keys that belong under the empty key above them -> that key."""
    item = item_of(doc, path)
    known = components_of(item) if item else legal(doc, path)
    out, owner = dict[str, str](), ""
    for key in doc.at(path):
        if doc.at((*path, key)) is None and key != "kind":
            owner = key
        elif owner and key not in known and section(doc, (*path, owner)) in sections_with(key):
            out[key] = owner
        else:
            owner = ""
    return out


def left_empty(doc: Document, path: Path_) -> bool:
    """Is a key empty because its keys are below it without indentation?"""
    inside = isinstance(doc.at(path[:-1]), dict) and bool(path)
    empty = inside and doc.at(path) is None
    return empty and path[-1] in not_indented(doc, path[:-1]).values()


def missing(doc: Document, path: Path_, expected: list[str], known: list[str]) -> Faults:
    """Missing keys, except those that are there, or elsewhere, under another name."""
    here, words = doc.at(path), legal(doc, path) if path else {}
    others = [k for k in here if k not in known and (k not in words or item_of(doc, path))]
    top = [k for k in others if not path]
    for key in expected:
        named = (p[:-1] for p in doc.keys if p[-1] == key and key not in ("kind", "name"))
        found = (
            key in here
            or any(nearest(k, [key]) or key_meant(section(doc, path), k, [key]) for k in others)
            or any(key not in legal(doc, p) for p in named)
            or any({p[:1] for p in sections_with(k)} == {(key,)} for k in top)
        )
        if not found:
            yield "missing", of_missing(doc, (*path, key))


def code_without_kind(doc: Document, path: Path_) -> tuple[str, Location]:
    """The fault of options without `kind`, which may be there under another name."""
    named = next((k for k in doc.at(path) if is_kind(k)), None)
    if named is None:
        return "missing", of_missing(doc, (*path, "kind"))
    return "key", of_key(doc, (*path, named), ["kind"])


def is_kind(key: str) -> bool:
    """Does a key mean `kind`?"""
    return key in KIND or nearest(key, ["kind"]) is not None


def without_kind(doc: Document) -> bool:
    """Is `sampler` one sampler without its `kind`, not a mapping from names to samplers?"""
    path = axes.SAMPLER.parts
    value = doc.at(path)
    own = {k: v for k, v in value.items() if k in language()[path]} if axes.named(value) else {}
    return any(of_one_sampler(k, v) for k, v in own.items())


def of_one_sampler(key: str, value: Any) -> bool:
    """Judging by its value, is a key a parameter of a sampler, not the name of one?"""
    word = first_word(value)
    rule = next((a for a in axes.within(axes.SAMPLER.parts) if a.key == key), None)
    of_rule = rule and isinstance(word, str) and meant(rule, word)[0]
    named = isinstance(value, dict) or bool(meant(axes.SAMPLER, word)[0])
    return plain(word) not in components_of(axes.SAMPLER) if of_rule else not named


def first_word(value: Any) -> Any:
    """The value that is chosen: by its name, with `kind`, or as the first item of a list."""
    first = value[0] if isinstance(value, list) and value else value
    return first.get("kind", next(iter(first), None)) if isinstance(first, dict) else first


def sampler_without_kind(doc: Document) -> tuple[str, Location]:
    """The fault of one sampler without `kind`, which may be there under another name."""
    path, value = axes.SAMPLER.parts, doc.at(axes.SAMPLER.parts)
    named = next((k for k in value if k in KIND and meant(axes.SAMPLER, value[k])[0]), None)
    if named is None:
        return "missing", of_missing(doc, (*path, "kind"))
    return "key", of_key(doc, (*path, named), ["kind"], not_indented(doc, path).get(named, ""))
