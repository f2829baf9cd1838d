"""The way out of a value that is none, or of the wrong type: the exact replacement."""

import re
from math import ceil, floor, isinf
from typing import Any

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import AXES, Axis, cards
from xlm_spec.compiler.form.key_hints import read_here
from xlm_spec.compiler.form.load import Document, Path_
from xlm_spec.compiler.form.words import (
    MANY,
    axis_at,
    form,
    key_meant,
    language,
    meant,
    place_of,
    plain,
)
from xlm_spec.diagnostics import alternatives

TIMES = {"k": 1_000, "m": 1_000_000}
TRUE, FALSE = ("yes", "on", "true", "1", "y"), ("no", "off", "false", "0", "n", "none")
NAME = re.compile(r"[^a-z0-9]+")


# ---- not one of the values -----------------------------------------------------------------------


def for_value(doc: Document, path: Path_, value: object, known: list) -> str:
    """What to write instead of a value that is none."""
    axis = axis_at(path)
    if isinstance(value, list):
        return for_list(path, value)
    if type(value) is str and value in map(str, known):
        return f"write {value}, without quotes"
    if axis and value is not None:
        told = by_another_name(doc, path, axis, doc.written(path).strip("\"'") or str(value))
        if told:
            return told
    if axis and axis.default and plain(value) in FALSE:
        return f"leave it out, or write one of: {', '.join(map(str, known))}"
    listed = alternatives(value if value is not None else "", map(str, known))
    return "; ".join([listed, *others(axis, value)])


def by_another_name(doc: Document, path: Path_, axis: Axis, word: str) -> str:
    """Of a word that papers or other code use; of several words in one text."""
    if not read_here(doc, path, axis):  # a rule that is called by the name of another one
        rules = [a for a in axes.RULES if read_here(doc, path, a) and form(a, word)]
        if len(rules) == 1:
            return f"write `{rules[0].key}: {form(rules[0], word)}`"
    named, more = meant(axis, word)
    around = doc.at(path[:-1])
    if more and not (path[-1] == "kind" and more.partition(":")[0] in around):
        kind = f"kind: {named}, {more}"
        return f"write `{kind}`" if path[-1] == "kind" else f"write `{form(axis, word)}`"
    if named:
        return f"that is called `{named}` here"
    several = [meant(axis, w)[0] for w in re.split(r"[,+&\s]+", word)] if axis.path in MANY else []
    return f"write `[{', '.join(several)}]`" if len(several) > 1 and all(several) else ""


def others(axis: Axis | None, value: object) -> list[str]:
    """The other axes that have a word for it."""
    if axis is None or not isinstance(value, str):
        return []
    found = [a for a in AXES if a is not axis and value in cards(a)]
    if found:
        listed = " and ".join(f"`{a.path}`" for a in found)
        return [f"`{value}` is a value of {listed}"] if len(found) < 3 else []
    named = [(a, form(a, value)) for a in AXES if a is not axis and form(a, value)]
    return [f"it may be `{v}` of `{a.path}`" for a, v in named] if len(named) == 1 else []


def for_list(path: Path_, value: list) -> str:
    """Of a list where one value stands."""
    if len(value) == 1 and isinstance(value[0], str):
        return f"write `{value[0]}`, without brackets or dash"
    if path == axes.SAMPLER.parts and all(isinstance(v, str) for v in value):
        named = ", ".join(f"{v}: {v}" for v in value)
        return f"several samplers have names: `{{{named}}}`"
    return "one value, not a list"


# ---- of the wrong type ---------------------------------------------------------------------------


def for_type(doc: Document, path: Path_, value: Any, wanted: str, rules: dict) -> str:
    """What to write instead of a value of the wrong type."""
    match wanted:
        case "object":
            return mapping(doc, path, value) or f"its keys: {', '.join(rules['properties'])}"
        case "string":
            told = text(doc, path, value)
        case "boolean":
            told = truth(value)
        case _:
            told = number(value, wanted)
    if told or rules.get("default") is None:
        return told
    nothing = plain(value) in ("none", "null")
    return f"{'leave it out for the default:' if nothing else 'for example'} {rules['default']}"


def number(value: object, wanted: str) -> str:
    """Of a number that YAML reads as a text, or that stands in a list."""
    if isinstance(value, list):
        return f"write {value[0]}, without brackets" if len(value) == 1 else "one number, no list"
    if not isinstance(value, str):
        if isinstance(value, float) and wanted == "integer":
            return f"write {floor(value)} or {ceil(value)}"
        return "write 0" if value is False else ""
    if "${" in value:
        return "a spec has no variables: write the number"
    bare = value.strip().lower().replace("_", "")
    if re.fullmatch(r"\d{1,3}(,\d{3})+", bare):
        bare = bare.replace(",", "")
    if re.fullmatch(r"0(x[0-9a-f]{1,12}|o[0-7]{1,12}|b[01]{1,36})", bare):
        return f"write {int(bare, 0)}"
    if found := re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)([km])", bare):
        return f"write {float(found[1]) * TIMES[found[2]]:.0f}"
    if found := re.fullmatch(r"(\d{1,3})(?:\*\*|\^)(\d)", bare):
        return f"write {int(found[1]) ** int(found[2])}"
    if found := re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)%", bare):
        return f"write {float(found[1]) / 100:g}" if wanted == "number" else ""
    whole = re.fullmatch(r"[-+]?\d{1,18}", bare)
    real = re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", bare)
    if re.fullmatch(r"[-+]?\.?(inf|nan|infinity)", bare) or (real and isinf(float(bare))):
        return "numbers are finite"
    plainly = ", without quotes" if bare == value else ""
    return f"write {bare}{plainly}" if whole or (real and wanted == "number") else ""


def truth(value: object) -> str:
    """Of a truth as other versions of YAML, or other formats, have it."""
    word = plain(value)
    known = "true" if word in TRUE else "false" if word in FALSE else ""
    return f"write {known} (YAML 1.2)" if known else ""


def text(doc: Document, path: Path_, value: Any) -> str:
    """Of a text that YAML reads as something else."""
    written = doc.written(path)
    if path == ("name",):
        return f"for example `{name(written)}{'_lm' if isinstance(value, bool) else ''}`"
    if re.fullmatch(r"\d{4}\.\d{4,5}", written):
        return f"write arXiv:{written}"
    if isinstance(value, list) and value and all(isinstance(v, str) for v in value):
        return f'one text: "{", ".join(value)}"'
    return f'write "{written}", in quotes' if isinstance(value, int | float) else ""


def name(written: str) -> str:
    """What a name may be that is none; "" where nothing of it is left."""
    slug = NAME.sub("_", written.lower()).strip("_")
    return slug if slug[:1].isalpha() else f"lm_{slug}" if slug else ""


def mapping(doc: Document, path: Path_, value: Any) -> str:
    """Of a value that stands where a mapping belongs."""
    here, key = place_of(path), str(path[-1])
    if isinstance(value, list):
        flat = all(isinstance(v, dict) for v in value)
        pairs = [(k, doc.written((*path, i, k))) for i, v in enumerate(value) if flat for k in v]
        if pairs and all(v for _, v in pairs):
            inside = ", ".join(f"{k}: {v}" for k, v in pairs)
            return f"write `{key}: {{{inside}}}`, without brackets or dashes"
        value = value[0] if len(value) == 1 else None
    if here == axes.LOSS.parts and not isinstance(value, str):
        weights = f"weights are {', '.join(cards(axes.WEIGHT))}"
        return f"write `{key}` without the colon" if value is None else weights
    inside_of = [a for a in AXES if a.parts[:-1] == here and form(a, value)]
    if inside_of:
        axis = inside_of[0]
        return f"write `{key}: {{{axis.key}: {form(axis, value)}}}`"
    task = key_meant(here, "task", list(language().get(here, {})))
    if isinstance(value, str) and task:
        return f"write `{key}: {{{task}: {value}}}`"
    return "indent what belongs to it, or leave it out" if value is None else ""


# ---- out of range --------------------------------------------------------------------------------


def for_range(path: Path_, value: object, rules: dict) -> str:
    """The meaning of a number; of a temperature of zero what is meant by it."""
    greedy = form(axes.TOKENS, "greedy")
    if value == 0 and path[-1] == "temperature":
        return f"greedy is `{greedy}`"
    return str(rules.get("description", ""))
