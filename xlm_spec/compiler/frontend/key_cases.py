"""Hints for unknown and missing keys: the exact replacement, if there is one."""

import re

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import AXES, Axis, components_of
from xlm_spec.compiler.frontend.cases import Case
from xlm_spec.compiler.frontend.load import Document, Path_
from xlm_spec.compiler.frontend.location import Home, Location
from xlm_spec.compiler.frontend.synonyms import (
    difference,
    form,
    key_meant,
    language,
    meant,
    noted,
    plain,
    sections_with,
    unlike,
)
from xlm_spec.diagnostics import alternatives

ADD = {
    "xlm_spec": "add `xlm_spec: 1`, the version of the language",
    "name": "add `name: …`, the name of the package: lower-case letters, digits and underscores",
    "noise": "add `noise: {process: …}`",
}
A_FILE = "the file of a custom component"  # if an axis has no shipped value
TYPES: dict[str, tuple[type, ...]] = {"float": (float, int), "int": (int,)}


# ---- keys in a list of targets or losses, which are names ----------------------------------------


def item(p: Location) -> str:
    """The replacement of an item with another name, and the parameters that it implies."""
    named, more = meant(p.axis, p.key) if p.axis else ("", "")
    lacks = unlike(more, p.value)
    write = f"write `{named}: {{{lacks}{', …' * bool(p.value)}}}`"
    hint = write if lacks else f"write `{named}`"
    return noted(hint, difference(p.axis, p.key)) if p.axis and named else ""


def item_with_a_kind(p: Location) -> str:
    """The replacement of an item whose name is the value of `kind`."""
    axis = p.axis if p.key in ("kind", *axes.KIND) else None
    named, more = (p.value, "") if is_file(p.value) else meant(axis, p.value) if axis else ("", "")
    lacks = unlike(more, p.around)
    beside = (f"{k}: {p.doc.written((*p.path[:-1], k))}" for k in p.around if k != p.key)
    rest = ", ".join([*([lacks] if lacks else []), *beside])
    hint = f"write `{named}: {{{rest}}}`" if rest or not axis else f"write `{axis.key}: {named}`"
    return noted(hint, difference(axis, p.value)) if axis and named else ""


def is_file(value: object) -> bool:
    """Is it the file of a custom component?"""
    return isinstance(value, str) and value.endswith(".py")


def first_loss(doc: Document) -> str:
    """The first loss of the spec, or else any loss."""
    known = components_of(axes.LOSS)
    words = (w for p in doc.spans if p[:1] == axes.LOSS.parts for w in (p[-1], doc.at(p)))
    return next((w for w in words if isinstance(w, str) and w in known), next(iter(known)))


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
    of_key = axes.KEYS.get(plain(p.key), "") if value else ""
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


def with_parameter(axis: Axis | None, key: str) -> list[str]:
    """The values of an axis that have this parameter."""
    known = components_of(axis) if axis else {}
    return [v for v, c in known.items() if any(p.name == key for p in c.parameters)]


# ---- of another section --------------------------------------------------------------------------


def shared(p: Location) -> Home | None:
    """The section of a key, if the spec has that section, or several of its keys are here."""
    together = [k for k in p.around if p.home and [*sections_with(k)] == [p.home.section]]
    there = p.home and isinstance(p.doc.at(p.home.path), dict)
    return p.home if there or len(together) > 1 else None


def nested(p: Location, home: Home, outside: int) -> str:
    """The key inside of its mappings: `noise: {schedule: {kind: linear, eps: 0.1}}`."""
    text, key = f"{home.key}: {p.written}", home.key
    for i in range(len(home.section), outside, -1):
        axis = next((a for a in AXES if a.parts == home.section[:i]), None)
        kind = kind_with(p.doc, axis, key) if axis else ""
        key = home.section[i - 1]
        if axis and axis.many:
            text = f"{key}: {{{kind}: {{{text}}}}}"
        else:
            text = f"{key}: {{{f'kind: {kind}, ' * bool(kind)}{text}}}"
    return text


def kind_with(doc: Document, axis: Axis, key: str) -> str:
    """A value with this parameter: the one of the spec, the default, or the first."""
    fits = with_parameter(axis, key)
    return next((v for v in (doc.at(axis.parts), axis.default) if v in fits), fits[0])


def in_new_section(p: Location, home: Home) -> str:
    axis = next((a for a in AXES if a.parts == home.section), None)
    write = f"write `{nested(p, home, len(p.section) if home.inside else 0)}`"
    return noted(write, difference(axis, p.key)) if axis else write


# ---- missing keys --------------------------------------------------------------------------------


def sampler_by_its_name(p: Location) -> str:
    """The replacement of a sampler without `kind` whose name is a kind."""
    name = p.path[-2] if p.lacks_kind and p.axis is axes.SAMPLER else ""
    kind, more = meant(axes.SAMPLER, name)
    lacks = unlike(more, p.around)
    hint = f"write `{name}: {{kind: {kind}, {lacks + ', ' if lacks else ''}…}}`"
    return noted(hint, difference(axes.SAMPLER, name)) if kind else ""


def values_with(p: Location) -> list[str]:
    """The values of the axis that have all parameters of the mapping."""
    known = components_of(p.axis).items() if p.axis and p.lacks_kind else ()
    return [v for v, c in known if set(p.around) <= {q.name for q in c.parameters}]


def by_parameters(p: Location) -> str:
    """The replacement of a mapping without `kind`: the default or the only value that fits."""
    fits = values_with(p)
    default = p.axis.default if p.axis else ""
    value = default if default in fits else fits[0] if len(fits) == 1 else ""
    return kind_before(p, p.path[:-1], value)


def by_its_key(p: Location) -> str:
    """The replacement of a mapping whose only key means a value."""
    alone = p.lacks_kind and len(p.around) == 1 and not values_with(p)
    key = next(iter(p.around)) if alone else ""
    axis = p.axis if alone and key not in {a.key for a in axes.within(p.section)} else None
    value, more = meant(axis, key) if axis else ("", "")
    hint = kind_before(p, (*p.path[:-1], key), value, more)
    return noted(hint, difference(axis, key)) if axis else ""


def kind_before(p: Location, path: Path_, value: str, more: str = "") -> str:
    """The mapping at a path with `kind` as its first key, and the parameters that it implies."""
    inner = p.doc.at(path)
    given = inner if isinstance(inner, dict) else {}
    lacks = [more] if (more := unlike(more, inner)) else []
    listed = [f"kind: {value}", *lacks, *(f"{k}: {p.doc.written((*path, k))}" for k in given)]
    return f"write `{p.axis.key}: {{{', '.join(listed)}}}`" if p.axis and value else ""


# ---- the cases -----------------------------------------------------------------------------------

NOT_INDENTED = {
    "loss: [{cross_entropy: , weight: elbo}] -> indent it under `cross_entropy:`": Case(
        lambda p: p.above, lambda p, above: f"indent it under `{above}:`"
    ),
}
UNKNOWN_ITEM = {
    **NOT_INDENTED,
    "loss: [elbo: {}] -> write `cross_entropy: {weight: elbo}`": Case(item),
    "target: [length: {}] -> a predicted length (CMLM) is not available; the nearest is `stop`,"
    " which predicts only whether anything is missing": Case(
        lambda p: p.axis and difference(p.axis, p.key)
    ),
    "loss: [{name: ce, weight: elbo}] -> write `cross_entropy: {weight: elbo}`": Case(
        item_with_a_kind
    ),
    "head: {gap_count: ./gap_count.py} -> write `head: ./gap_count.py`": Case(
        lambda p: p.axis if is_file(p.value) else None,
        lambda p, axis: f"write `{axis.key}: {p.value}`",
    ),
    "loss: [cross_entropy, weight: elbo] -> write `cross_entropy: {weight: elbo}`": Case(
        lambda p: p.axis is axes.LOSS and key_meant(p.section, p.key, [axes.WEIGHT.key]),
        lambda p, weight: (
            f"write `{next((k for k in p.around if k in p.known), None) or first_loss(p.doc)}:"
            f" {{{weight}: {p.written}}}`"
        ),
    ),
    "target: [mask_token: {}] -> "
    "did you mean `masked_tokens`? allowed: "
    "clean_tokens, gap_tokens, masked_tokens, next_token, stop": Case(
        lambda p: alternatives(p.key, p.known)
    ),
}
SYNONYMS = {
    "noise: {process: mask, num_masked: 5} -> a constant number of corrupted tokens is not"
    " available: `uniform` draws the number, `exact` computes it from t": Case(
        lambda p: isinstance(p.value, int | float) and p.renamed and axes.NUMBERS.get(p.renamed),
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
        lambda p, called: noted(f"write `{called}`", axes.KEYS.get(plain(p.key), ""), p.note),
    ),
}
NOT_SYNONYMS = {
    "train: {epochs: 10} -> write `steps`, the number of training steps": Case(
        lambda p: axes.DECIDED.get(plain(p.key))
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
    "sampler: {kind: fixed_budget, order: random, alg_temp: 1} -> noise on the unmasking order"
    " is not available; without it the order is that of the score": Case(lambda p: p.note),
    "noise: {process: mask, schedule: {kind: cosine, power: 2}} -> "
    "`power` is a parameter of `polynomial`; allowed: kind": Case(
        lambda p: with_parameter(p.axis, p.key),
        lambda p, found: (
            f"`{p.key}` is a parameter of {', '.join(f'`{v}`' for v in found)};"
            f" allowed: {', '.join(p.known)}"
        ),
    ),
}
OTHER_SECTIONS = {
    "steps: 1000 -> `steps` belongs in `sampler` or `train`": Case(
        lambda p: [f"`{'.'.join(s)}`" for s in p.elsewhere if 1 < len(p.elsewhere) < 4],
        lambda p, found: f"`{p.key}` belongs in {' or '.join(found)}",
    ),
    "train: {loss: mse} -> write `loss` at the top level of the spec, without indentation": Case(
        lambda p: p.home and not p.home.section and p.home.key,
        lambda p, key: f"write `{key}` at the top level of the spec, without indentation",
    ),
    "noise: {process: mask, limit: 5} -> "
    "write it inside a loss: `cross_entropy: {weight: {kind: elbo_clipped, largest: 5}}`": Case(
        lambda p: p.home and not p.home.inside and p.home.section[0] == axes.LOSS.key and p.home,
        lambda p, home: f"write it inside a loss: `{first_loss(p.doc)}: {{{nested(p, home, 1)}}}`",
    ),
    "train: {rounds: 9} -> write `rounds: 9` inside `sampler`": Case(
        shared, lambda p, home: f"write `{home.key}: {p.written}` inside `{'.'.join(home.section)}`"
    ),
    "train: {k: 1} -> `k` belongs in `sampler.tokens`": Case(
        lambda p: p.home if p.home and (p.home.of_sampler or not p.written) else None,
        lambda p, home: f"`{home.key}` belongs in `{'.'.join(home.section)}`",
    ),
    "lr: 3e-4 -> write `train: {lr: 3e-4}`": Case(lambda p: p.home, in_new_section),
}
UNKNOWN = {
    **NOT_INDENTED,
    **SYNONYMS,
    **NOT_SYNONYMS,
    **OTHER_SECTIONS,
    "noise: {process: mask, shedule: linear} -> "
    "did you mean `schedule`? allowed: process, schedule, time, count, roll_in": Case(
        lambda p: alternatives(p.key, p.known)
    ),
}
MISSING = {
    "sampler: {ancestral: {steps: 8}} -> write `ancestral: {kind: ancestral, …}`": Case(
        sampler_by_its_name
    ),
    "noise: {process: mask, schedule: {power: 3}} -> "
    "write `schedule: {kind: polynomial, power: 3}`": Case(by_parameters),
    "noise: {process: mask, schedule: {geometric: {largest: 20}}} -> "
    "write `schedule: {kind: geometric, largest: 20}`": Case(by_its_key),
    "without target -> what the model predicts, and at which positions; allowed: "
    "clean_tokens, gap_tokens, masked_tokens, next_token, stop": Case(
        lambda p: p.axis,
        lambda p, axis: f"{axis.meaning}; allowed: {', '.join(components_of(axis)) or A_FILE}",
    ),
    "without noise -> add `noise: {process: …}`": Case(lambda p: ADD.get(p.key)),
}
SEVERAL = {
    "target: {gap_tokens: {}, stop: {}} -> write a list: `[gap_tokens: …, stop: …]`": Case(
        lambda p: p.known,
        lambda p, known: f"write a list: `[{', '.join(f'{n}: …' for n in known)}]`",
    )
}
