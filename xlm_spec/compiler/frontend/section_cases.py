"""Hints for keys that belong to another section."""

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import AXES, Axis, components_of
from xlm_spec.compiler.frontend.cases import Case
from xlm_spec.compiler.frontend.item_cases import first_loss
from xlm_spec.compiler.frontend.load import Document
from xlm_spec.compiler.frontend.location import Home, Location
from xlm_spec.compiler.frontend.synonyms import (
    difference,
    noted,
    sections_with,
)


def with_parameter(axis: Axis | None, key: str) -> list[str]:
    """The values of an axis that have this parameter."""
    known = components_of(axis) if axis else {}
    return [v for v, c in known.items() if any(p.name == key for p in c.parameters)]


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


# ---- the cases -----------------------------------------------------------------------------------

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
