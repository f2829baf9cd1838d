"""The way out of a key that is none: the exact replacement where it can be told."""

import re

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import AXES, Axis, cards
from xlm_spec.compiler.form.load import Document, Path_
from xlm_spec.compiler.form.words import (
    Place,
    axis_at,
    form,
    item_of,
    key_meant,
    language,
    meant,
    place_of,
    places,
    plain,
)
from xlm_spec.diagnostics import alternatives

GAPS = axes.GAPS.parts  # takes the same parameters as `tokens`, which is rarely not meant


def for_key(doc: Document, path: Path_, known: list[str]) -> str:
    """What to write instead of an unknown key."""
    key, here = str(path[-1]), place_of(path[:-1])
    item = item_of(path[:-1])
    if item:
        return for_item(doc, path, item, known)
    called = key_meant(here, key, known)
    if called:
        return renamed(doc, path, here, called)
    return (
        axes.DECIDED.get(plain(key), "")
        or run_together(key, known)
        or as_value(doc, path, here)
        or of_another(axis_at(path[:-1]), key, known)
        or elsewhere(doc, path, here)
        or alternatives(key, known)
    )


def for_item(doc: Document, path: Path_, axis: Axis, known: list[str]) -> str:
    """Of a target or a loss by another name, or of a key that belongs inside one."""
    key, item = str(path[-1]), doc.at(path[:-1])
    named = meant(axis, key)[0]
    if named:
        return f"that is called `{named}` here"
    if key in ("kind", *axes.KIND) and (value := meant(axis, item[key])[0]):
        rest = ", ".join(f"{k}: {doc.written((*path[:-1], k))}" for k in item if k != key)
        return f"write `{value}: {{{rest}}}`" if rest else f"write `{axis.path}: {value}`"
    if axis is axes.LOSS and (inside := key_meant(axis.parts, key, [axes.WEIGHT.key])):
        loss = next((k for k in item if k in known), None) or first_loss(doc)
        return f"write `{loss}: {{{inside}: {doc.written(path)}}}`"
    return alternatives(key, known)


def first_loss(doc: Document) -> str:
    """The first loss of the spec; a loss at least."""
    known = cards(axes.LOSS)
    words = (w for p in doc.spans if p[:1] == axes.LOSS.parts for w in (p[-1], doc.at(p)))
    return next((w for w in words if isinstance(w, str) and w in known), next(iter(known)))


def for_kind(doc: Document, path: Path_) -> str:
    """Of a mapping without `kind`: its key is the value, or its keys are those of one value."""
    axis, here = axis_at(path), doc.at(path)
    if axis is None or not here:
        return ""
    if axis is axes.SAMPLER and (named := meant(axis, path[-1])[0]):
        return f"write `{path[-1]}: {{kind: {named}, …}}`"
    known = {v: {p.name for p in c.parameters} for v, c in cards(axis).items()}
    fits = [v for v, names in known.items() if set(here) <= names]
    value = axis.default if axis.default in fits else fits[0] if len(fits) == 1 else ""
    if value:
        return kind_before(doc, path, axis, value)
    key = next(iter(here))
    value = meant(axis, key)[0] if len(here) == 1 and not fits else ""
    return kind_before(doc, (*path, key), axis, value) if value else ""


def kind_before(doc: Document, path: Path_, axis: Axis, value: str) -> str:
    """The mapping at a path with `kind` as its first key."""
    inner = doc.at(path)
    rest = (f", {k}: {doc.written((*path, k))}" for k in (inner if isinstance(inner, dict) else ()))
    return f"write `{axis.key}: {{kind: {value}{''.join(rest)}}}`"


def renamed(doc: Document, path: Path_, here: Place, called: str) -> str:
    """Of a key by another name; with its value where that has another name too."""
    word, key = doc.at(path), str(path[-1])
    told = f"that is called `{called}` here"
    if not isinstance(word, str):
        return told
    inside = [a for a in AXES if a.parts[:-1] == here and form(a, word)]
    exact = [a for a in inside if a.key == called]
    if exact or (len(inside) == 1 and (*here, called) in [a.parts for a in AXES]):
        axis = (exact or inside)[0]
        return f"write `{axis.key}: {form(axis, word)}`"
    inner = [a for a in AXES if a.parts[:-1] == (*here, called) and form(a, word)]
    if here == () and inner and called not in [a.path for a in AXES]:
        return f"write `{called}: {{{inner[0].key}: {form(inner[0], word)}}}`"
    section = language().get((called,), {}) if here == () else {}
    name = key_meant((called,), key, list(section))
    return f"write `{called}: {{{name}: {word}}}`" if name else told


def run_together(key: str, known: list[str]) -> str:
    """Of a key and its value without `: ` between them: `lr:1e-4`, `lr=1e-4`, `schedule linear`."""
    found = re.fullmatch(r"(\w+)\s*[:= ]\s*(\S+)", key)
    fits = found and found[1] in known
    return f"write `{found[1]}: {found[2]}`" if found and fits else ""


def as_value(doc: Document, path: Path_, here: Place) -> str:
    """Of a value that was written as a key: `top_p: 0.9` is `tokens: {kind: top_p, p: 0.9}`."""
    found = {}
    for axis in AXES:
        value = meant(axis, path[-1])[0] if here and axis.parts[:-1] == here else ""
        if value and axis is not axes.GAPS and read_here(doc, path, axis):
            behind = doc.at(path)
            other = form(axis, behind) if isinstance(behind, str) else ""
            found[axis.key] = f"{axis.key}: {other or filled(axis, value, behind)}"
    return f"write `{next(iter(found.values()))}`" if len(found) == 1 else ""


def read_here(doc: Document, path: Path_, axis: Axis) -> bool:
    """Does the sampler around a path read what an axis of rules makes?"""
    if axis not in axes.RULES:
        return True
    around = doc.at(path[:-1])
    kind = around.get("kind") if isinstance(around, dict) else None
    loop = cards(axes.SAMPLER).get(kind) if isinstance(kind, str) else None
    return loop is None or any(axis.wire in f.wires for f in loop.functions.values())


def filled(axis: Axis, value: str, number: object) -> str:
    """A value with its first parameter, where what stood behind it can be that."""
    of_type: dict[str, tuple[type, ...]] = {"float": (float, int), "int": (int,)}
    parameters = cards(axis)[value].parameters[:1]
    fits = [p for p in parameters if type(number) in of_type.get(p.type, ())]
    return f"{{kind: {value}, {fits[0].name}: {number}}}" if fits else value


def of_another(axis: Axis | None, key: str, known: list[str]) -> str:
    """Of a parameter of other values of the axis."""
    of_axis = cards(axis).items() if axis else ()
    found = [f"`{v}`" for v, c in of_axis if any(p.name == key for p in c.parameters)]
    listed = f"a parameter of {', '.join(found)}; allowed: {', '.join(known)}"
    return listed if found else ""


def elsewhere(doc: Document, path: Path_, here: Place) -> str:
    """Of a key that stands in another mapping: that mapping, with the key in it."""
    word = str(path[-1])
    found = {p: k for p, k in places(word).items() if k != "kind" and p not in (here, GAPS)}
    inner = {p: k for p, k in found.items() if here and p[: len(here)] == here}
    found = inner or {p: k for p, k in found.items() if p[:1] != here[:1] or len(p) < len(here)}
    if len(found) != 1:
        listed = " or ".join(f"`{'.'.join(p)}`" for p in found)
        return f"`{word}` stands in {listed}" if 1 < len(found) < 4 else ""
    [(place, key)] = found.items()
    if not place:
        return f"`{key}` stands at the top of the spec, in the first column"
    text = f"{key}: {doc.written(path)}"
    if place == axes.LOSS.parts:
        return f"write it inside a loss: `{first_loss(doc)}: {{{text}}}`"
    names = place[len(here) :] if inner else place
    target = (*path[:-1], *names) if inner else place
    together = [k for k in doc.at(path[:-1]) if [*places(k)] == [place]]
    if isinstance(doc.at(target), dict) or len(together) > 1:
        return f"write `{text}` inside `{'.'.join(place)}`"
    if not doc.written(path) or (place[0] == axes.SAMPLER.path and not inner):
        return f"`{key}` stands in `{'.'.join(place)}`"
    return f"write `{nested(doc, names, place, key, text)}`"


def nested(doc: Document, names: Place, place: Place, key: str, text: str) -> str:
    """`noise: {schedule: {kind: linear, eps: 0.1}}`: the mappings `names` around a text."""
    for i in range(len(place), len(place) - len(names), -1):
        axis = next((a for a in AXES if a.parts == place[:i]), None)
        kind = f"kind: {kind_with(doc, axis, key)}, " if axis else ""
        text, key = f"{place[i - 1]}: {{{kind}{text}}}", place[i - 1]
    return text


def kind_with(doc: Document, axis: Axis, key: str) -> str:
    """A value that has the parameter: the one that the spec chose, the default, or the first."""
    chosen = doc.at(axis.parts)
    fits = [v for v, c in cards(axis).items() if any(p.name == key for p in c.parameters)]
    return next((v for v in (chosen, axis.default) if v in fits), fits[0])
