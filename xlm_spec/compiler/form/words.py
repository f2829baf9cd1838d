"""Every key and value of the language, and the words that papers and other code have for it."""

import re
from functools import cache

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import AXES, Axis, cards
from xlm_spec.compiler.components import Parameter, also_known_as
from xlm_spec.compiler.form.load import Path_

Place = tuple[str, ...]  # of a mapping in the language: ("noise", "schedule"); () is the spec
Keys = dict[str, set[str]]  # each key of a mapping, and the words for it
MANY = {a.path: a for a in (axes.TARGET, axes.LOSS)}  # axes of which a spec lists several


def plain(word: object) -> str:
    """A word without what differs from code to code: capitals, dashes, spaces."""
    return re.sub(r"[\s-]+", "_", str(word).strip()).lower()


def meant(axis: Axis, word: object) -> tuple[str, str]:
    """The value that a word stands for, and the parameters that go with it; "" where none does."""
    wanted, known = plain(word), cards(axis)
    if wanted in known:
        return wanted, ""
    found = ((v, c.synonyms[wanted]) for v, c in known.items() if wanted in c.synonyms)
    return next(found, ("", ""))


def form(axis: Axis, word: object) -> str:
    """The value that a word stands for, as a spec writes it; "" where it stands for none."""
    value, more = meant(axis, word)
    if not more:
        return value
    return f"{value}: {{{more}}}" if axis.path in MANY else f"{{kind: {value}, {more}}}"


@cache
def language() -> dict[Place, Keys]:
    """Every mapping that a spec may hold."""
    out: dict[Place, Keys] = {(): {k: set(words) for k, words in axes.OTHERS.items()}}
    for axis in AXES:
        place = axis.parts
        out.setdefault(place[:-1], {})[axis.key] = set(axis.synonyms)
        here = out.setdefault(place, {} if axis.path in MANY else {"kind": set(axes.KIND)})
        for c in cards(axis).values():
            add(here, c.parameters)
    run = axes.settings()
    for name, fields in run.fields.items():
        out[()][name.lower()] = set(also_known_as(run.classes[name]).get("", ()))
        add(out.setdefault((name.lower(),), {}), fields)
    for options in axes.tasks().values():
        add(out["data",], options)
    return out


def add(keys: Keys, parameters: tuple[Parameter, ...]) -> None:
    for p in parameters:
        keys.setdefault(p.name, set()).update(p.synonyms)


def place_of(path: Path_) -> Place:
    """Where in the language a mapping of a document stands."""
    first, *rest = [p for p in path if isinstance(p, str) and p != "kind"] or [""]
    inside = language().get((first,), {})
    if first in (axes.SAMPLER.path, axes.LOSS.path):  # perhaps behind a sampler's or a loss' name
        rest = [p for p in rest[-1:] if (first, p) in language() and p in inside]
    return (first, *rest) if first else ()


def item_of(path: Path_) -> Axis | None:
    """The axis of which a mapping here is an item, whose one key is its name."""
    whole = len(path) == 1 or (len(path) == 2 and isinstance(path[1], int))
    return MANY.get(str(path[0])) if whole else None


def axis_at(path: Path_) -> Axis | None:
    """The axis that a path of a document belongs to."""
    return next((a for a in AXES if a.parts == place_of(path)), None)


def key_meant(place: Place, word: str, known: list[str]) -> str:
    """The key, of those known at a place, that a word stands for; "" where none does."""
    wanted, here = plain(word), language().get(place, {})
    return next((k for k in known if wanted == k or wanted in here.get(k, ())), "")


def places(word: str) -> dict[Place, str]:
    """The places of which a word is a key, with the key; by other words where it is none."""
    wanted = plain(word)
    every = language().items()
    exact = {place: wanted for place, keys in every if wanted in keys}
    named = ((p, k) for p, keys in every for k, words in keys.items() if wanted in words)
    return exact or dict(reversed([*named]))  # of two in one place the first
