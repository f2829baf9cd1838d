"""Hints for missing keys."""

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import components_of
from xlm_spec.compiler.frontend.cases import Case
from xlm_spec.compiler.frontend.load import Path_
from xlm_spec.compiler.frontend.location import Location
from xlm_spec.compiler.frontend.synonyms import (
    code_allowed,
    difference,
    meant,
    noted,
    unlike,
)
from xlm_spec.compiler.runtime_settings import code_names, is_code

ADD = {
    "xlm_spec": "add `xlm_spec: 1`, the version of the language",
    "name": "add `name: …`, the name of the package: lower-case letters, digits and underscores",
    "noise": "add `noise: {process: …}`",
}
A_FILE = "the file of a custom component"  # if an axis has no shipped value


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


def shipped_code(p: Location) -> str:
    """The shipped code that a key of the mapping names."""
    names = code_names(p.path) if is_code(p.path) else []
    return next((k for k in p.around if k in names), "")


# ---- the cases -----------------------------------------------------------------------------------

MISSING = {
    "sampler: {ancestral: {steps: 8}} -> write `ancestral: {kind: ancestral, …}`": Case(
        sampler_by_its_name
    ),
    "noise: {process: mask, schedule: {power: 3}} -> "
    "write `schedule: {kind: polynomial, power: 3}`": Case(by_parameters),
    "noise: {process: mask, schedule: {geometric: {largest: 20}}} -> "
    "write `schedule: {kind: geometric, largest: 20}`": Case(by_its_key),
    "train: {loggers: [csv: {}]} -> write `kind: csv` and its options in one mapping": Case(
        shipped_code,
        lambda p, name: f"write `kind: {name}` and its options in one mapping",
    ),
    "train: {optimizer: {lr: 0.1}} -> allowed: adamw, adam, sgd, adafactor, muon; "
    "or an import path, or ./file.py:Name": Case(
        lambda p: is_code(p.path), lambda p, _: code_allowed(code_names(p.path))
    ),
    "without target -> what the model predicts, and at which positions; allowed: "
    "clean_tokens, …": Case(
        lambda p: p.axis,
        lambda p, axis: f"{axis.meaning}; allowed: {', '.join(components_of(axis)) or A_FILE}",
    ),
    "without noise -> add `noise: {process: …}`": Case(lambda p: ADD.get(p.key)),
}
