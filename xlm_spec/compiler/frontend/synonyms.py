"""All keys and values of the language, and the words of papers and other code for them."""

import re
from collections.abc import Iterable
from functools import cache

from xlm_spec.compiler import axes, runtime_settings
from xlm_spec.compiler.axes import AXES, Axis, components_of
from xlm_spec.compiler.components import Parameter, also_known_as
from xlm_spec.compiler.frontend import other_words
from xlm_spec.diagnostics import alternatives

Section = tuple[str, ...]  # a mapping of the language: ("noise", "schedule"); () is the spec
Keys = dict[str, set[str]]  # the keys of a mapping -> their synonyms
TRUE, FALSE = ("yes", "on", "true", "1", "y"), ("no", "off", "false", "0", "n", "none")


def plain(word: object) -> str:
    """A word in lower case, with underscores for dashes and spaces."""
    return re.sub(r"[\s-]+", "_", str(word).strip()).lower()


def meant(axis: Axis, word: object) -> tuple[str, str]:
    """The value that a word means, and the parameters that it implies; "" if there is none."""
    name, known = plain(word), components_of(axis)
    if name in known:
        return name, ""
    found = ((v, c.synonyms[name]) for v, c in known.items() if name in c.synonyms)
    return next(found, ("", ""))


def form(axis: Axis, word: object) -> str:
    """The value that a word means, as written in a spec; "" if there is none."""
    value, more = meant(axis, word)
    if not more:
        return value
    return f"{value}: {{{more}}}" if axis.many else f"{{kind: {value}, {more}}}"


def difference(axis: Axis, word: object) -> str:
    """How the meaning of a word elsewhere differs from the nearest value here; "" if unknown."""
    name = plain(word)
    return next((c.differs[name] for c in components_of(axis).values() if name in c.differs), "")


def noted(*parts: str) -> str:
    """A hint, and a note on differences."""
    return "; ".join(filter(None, parts))


def code_allowed(names: Iterable[str], word: str = "") -> str:
    """The hint for a setting whose value is code: its names, and how to name other code."""
    if not (known := [*names]):
        return "write an import path (package.module.Name), or ./file.py:Name"
    return f"{alternatives(word, known)}; or an import path, or ./file.py:Name"


def custom_file(axis: Axis) -> str:
    """The hint for an axis without a shipped value."""
    kind = axis.folder.replace("_", "-")
    return f"write the file of a custom {kind}, such as `./mine.py`"


def unlike(more: str, given: object) -> str:
    """The parameters that a word implies, without those that a mapping already has."""
    parts = re.split(r", (?![^{]*\})", more) if more else []
    held = given if isinstance(given, dict) else {}
    return ", ".join(p for p in parts if p.partition(":")[0] not in held)


def instead(axis: Axis, word: object) -> str:
    """The hint for a word of other code; "" if the word is unknown."""
    value = form(axis, word)
    return noted(f"write `{value}`" if value else "", difference(axis, word))


@cache
def language() -> dict[Section, Keys]:
    """All mappings of a spec."""
    out: dict[Section, Keys] = {(): {k: set(words) for k, words in other_words.OTHERS.items()}}
    for axis in AXES:
        path = axis.parts
        out.setdefault(path[:-1], {})[axis.key] = set(axis.synonyms)
        here = out.setdefault(path, {} if axis.many else {"kind": set(other_words.KIND)})
        for c in components_of(axis).values():
            add(here, c.parameters)
    out[axes.LOSS.parts][axes.OF] = set()
    run = runtime_settings.settings()
    for name, fields in run.fields.items():
        out[()][name.lower()] = set(also_known_as(run.classes[name]).get("", ()))
        add(out.setdefault((name.lower(),), {}), fields)
    for setting in runtime_settings.code_settings():
        out[tuple(setting.split("."))] = {"kind": set(other_words.KIND)}
    for options in runtime_settings.tasks().values():
        add(out["data",], options)
    return out


def add(keys: Keys, parameters: tuple[Parameter, ...]) -> None:
    for p in parameters:
        keys.setdefault(p.name, set()).update(p.synonyms)


def key_meant(section: Section, word: str, known: list[str]) -> str:
    """The allowed key of a section that a word means; "" if there is none."""
    name, here = plain(word), language().get(section, {})
    return next((k for k in known if name == k or name in here.get(k, ())), "")


def sections_with(word: str) -> dict[Section, str]:
    """The sections in which a word is a key, with that key; by synonyms if it is a key nowhere."""
    name = plain(word)
    every = language().items()
    exact = {section: name for section, keys in every if name in keys}
    named = ((p, k) for p, keys in every for k, words in keys.items() if name in words)
    return exact or dict(reversed([*named]))  # the first of two in one section
