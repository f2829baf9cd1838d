"""Hints for unknown keys: the exact replacement, if there is one."""

import re

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import Axis, components_of
from xlm_spec.compiler.frontend import other_words
from xlm_spec.compiler.frontend.cases import Case
from xlm_spec.compiler.frontend.item_cases import NOT_INDENTED
from xlm_spec.compiler.frontend.load import Document, Path_
from xlm_spec.compiler.frontend.location import Location
from xlm_spec.compiler.frontend.section_cases import OTHER_SECTIONS, with_parameter
from xlm_spec.compiler.frontend.synonyms import (
    difference,
    form,
    key_meant,
    language,
    meant,
    noted,
    plain,
    unlike,
)
from xlm_spec.diagnostics import alternatives, nearest

TYPES: dict[str, tuple[type, ...]] = {"float": (float, int), "int": (int,)}


# ---- synonyms of keys ----------------------------------------------------------------------------


def of_section(p: Location) -> Axis | None:
    """The axis in the section that has this value: the one of the key, or the only one."""
    word = p.value if isinstance(p.value, str) and p.renamed else ""
    inside = [a for a in axes.within(p.section) if form(a, word) or difference(a, word)]
    others = inside if len(inside) == 1 else []
    return p.renamed if p.renamed in inside else next(iter(others), None)


def key_and_value(p: Location, axis: Axis) -> str:
    value = form(axis, p.value)
    write = f"write `{axis.key}: {value}`" if value else ""
    of_key = other_words.KEYS.get(plain(p.key), "") if value else ""
    return noted(write, difference(axis, p.value), of_key, p.note)


def inside_section(p: Location) -> Axis | None:
    """The axis that has this value, in the section that the key means."""
    word = p.value if not p.section and p.called and isinstance(p.value, str) else ""
    return next((a for a in axes.within((p.called,)) if not p.renamed and form(a, word)), None)


def key_of_section(p: Location) -> str:
    """The key that the same word also means, in the section that it means."""
    fits = not p.section and p.called and isinstance(p.value, str)
    return key_meant((p.called,), p.key, [*language().get((p.called,), {})]) if fits else ""


def items_of(p: Location) -> list[str]:
    """A mapping with `kind`, or a list of these, as items of the list that the key means."""
    axis = p.renamed if p.renamed and p.renamed.many else None
    paths = [(*p.path, i) for i in range(len(p.value))] if isinstance(p.value, list) else [p.path]
    found = [item_at(p.doc, path, axis) for path in paths if axis]
    return found if all(found) else []


def item_at(doc: Document, path: Path_, axis: Axis) -> str:
    """The item that a value at a path means; "" if it means none."""
    value = doc.at(path)
    given = value if isinstance(value, dict) else {}
    word = given.get("kind", "") if given else value
    name, more = (word, "") if str(word).endswith(".py") else meant(axis, word)
    parts = [f"{k}: {doc.written((*path, k))}" for k in given if k != "kind"]
    inner = ", ".join(filter(None, [unlike(more, given), *parts]))
    return f"{name}: {{{inner}}}" if name and inner else name


def as_items(p: Location, found: list[str]) -> str:
    """`wrap: {blocks: {size: 32}}`, or a list."""
    one = f"{{{found[0]}}}" if ":" in found[0] else found[0]
    write = one if len(found) == 1 else f"[{', '.join(found)}]"
    return f"write `{p.called}: {write}`"


# ---- not a synonym of a key ----------------------------------------------------------------------


def pair(p: Location) -> re.Match[str] | None:
    found = re.fullmatch(r"(\w+)\s*[:= ]\s*(\S+)", p.key)
    return found if found and found[1] in p.known else None


def as_value(p: Location) -> Axis | None:
    """The axis of the section that has the key as a value, if it is the only one."""
    inside = axes.within(p.section) if p.section else []
    found = [a for a in inside if a is not axes.GAPS and meant(a, p.key)[0] and p.reads(a)]
    return found[0] if len(found) == 1 else None


def filled(axis: Axis, word: str, behind: object) -> str:
    """A value: named by the word after the key, or with the number after it as a parameter."""
    value, more = meant(axis, word)
    first = components_of(axis)[value].parameters[:1]
    fits = [p for p in first if type(behind) in TYPES.get(p.type, ()) and not more]
    whole = f"{{kind: {value}, {fits[0].name}: {behind}}}" if fits else form(axis, word)
    greedy = value == "temperature" and axis.folder == "tokens" and behind == 0
    other = form(axis, behind) if isinstance(behind, str) else ""
    return other or (form(axis, "greedy") if greedy and not more else whole)


# ---- parameters of a component -------------------------------------------------------------------


def of_a_loss(p: Location) -> bool:
    """Is it a key of losses, such as `weight`, in a component of another axis?"""
    elsewhere = p.axis is not None and p.axis.parts[0] != axes.LOSS.key
    return elsewhere and p.home is not None and p.home.section[:1] == axes.LOSS.parts


def parameters(p: Location) -> str:
    """The parameters that a component has."""
    if p.known:
        return alternatives(p.key, p.known)
    return f"remove it: `{p.path[-2]}` has no parameters"


def misspelt_schedule(p: Location) -> str:
    """The key of a further schedule that a key resembles: `drop_schedul`."""
    before, _, last = p.key.rpartition("_")
    meant = f"{before}_schedule" if before and nearest(last, ["schedule"]) else ""
    return meant if p.section == axes.SCHEDULE.parts[:1] and axes.is_clock(meant) else ""


# ---- the cases -----------------------------------------------------------------------------------

SYNONYMS = {
    "noise: {process: mask, num_masked: 5} -> a constant number of corrupted tokens is not"
    " available: `uniform` draws the number, `exact` computes it from t": Case(
        lambda p: (
            isinstance(p.value, int | float) and p.renamed and other_words.NUMBERS.get(p.renamed)
        ),
        lambda p, note: noted(note, p.note),
    ),
    "sampler: {kind: ancestral, outer: {kind: blocks, size: 32}} -> "
    "write `wrap: {blocks: {size: 32}}`": Case(
        lambda p: items_of(p) if not isinstance(p.value, str) else None, as_items
    ),
    "noise: {kernel: absorbing} -> write `process: mask`": Case(of_section, key_and_value),
    "corruption: mask -> write `noise: {process: mask}`": Case(
        inside_section,
        lambda p, axis: noted(
            f"write `{p.called}: {{{axis.key}: {form(axis, p.value)}}}`", difference(axis, p.value)
        ),
    ),
    "dataset: text -> write `data: {task: text}`": Case(
        key_of_section, lambda p, key: f"write `{p.called}: {{{key}: {p.value}}}`"
    ),
    "train: {learning_rate: 3e-4} -> write `lr`": Case(
        lambda p: p.called,
        lambda p, called: noted(
            f"write `{called}`", other_words.KEYS.get(plain(p.key), ""), p.note
        ),
    ),
}
NOT_SYNONYMS = {
    "train: {epochs: 10} -> write `steps`, the number of training steps": Case(
        lambda p: other_words.DECIDED.get(plain(p.key))
    ),
    "train: {lr=1e-4} -> write `lr: 1e-4`": Case(
        pair, lambda p, found: f"write `{found[1]}: {found[2]}`"
    ),
    "sampler: {kind: ancestral, top_p: 0.9} -> write `tokens: {kind: top_p, p: 0.9}`": Case(
        as_value,
        lambda p, axis: noted(
            f"write `{axis.key}: {filled(axis, p.key, p.value)}`", difference(axis, p.key)
        ),
    ),
    "sampler: {kind: scheduled_budget, order: random, scheduler: 1} -> write `counts: round`, with"
    " the schedule as `noise.schedule`": Case(lambda p: p.note),
    "noise: {process: mask, schedule: {kind: cosine, power: 2}} -> "
    "`power` is a parameter of `polynomial`; allowed: kind": Case(
        lambda p: with_parameter(p.axis, p.key),
        lambda p, found: (
            f"`{p.key}` is a parameter of {', '.join(f'`{v}`' for v in found)};"
            f" allowed: {', '.join(p.known)}"
        ),
    ),
}
OF_A_COMPONENT = {
    "sampler: {kind: ancestral, wrap: {blocks: {coef: 3}}} -> allowed: size": Case(
        of_a_loss, lambda p, _: parameters(p)
    ),
    "noise: {process: mask, drop_schedul: linear} -> did you mean `drop_schedule`? it must be the"
    " name of a schedule that a component requires": Case(
        misspelt_schedule,
        lambda p, key: (
            f"did you mean `{key}`? it must be the name of a schedule that a component requires"
        ),
    ),
}
UNKNOWN = {
    **NOT_INDENTED,
    **SYNONYMS,
    **NOT_SYNONYMS,
    **OF_A_COMPONENT,
    **OTHER_SECTIONS,
    "head: {token_logits: {zeros: true}} -> remove it: `token_logits` has no parameters": Case(
        lambda p: not p.known, lambda p, _: parameters(p)
    ),
    "noise: {process: mask, shedule: linear} -> "
    "did you mean `schedule`? allowed: process, schedule, time, count, roll_in": Case(
        lambda p: alternatives(p.key, p.known)
    ),
}
