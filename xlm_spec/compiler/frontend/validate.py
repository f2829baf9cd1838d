"""Document -> Spec: checks keys, types and ranges (X1xx)."""

import keyword
from collections import Counter
from functools import cache
from pathlib import PurePosixPath
from typing import Any

from jsonschema import Draft202012Validator

from xlm_spec.compiler import axes, runtime_settings
from xlm_spec.compiler.declarations import EVEN
from xlm_spec.compiler.frontend.custom.registry import Registry, load_components
from xlm_spec.compiler.frontend.entries import entries
from xlm_spec.compiler.frontend.errors import explain, in_words
from xlm_spec.compiler.frontend.load import Document, Path_
from xlm_spec.compiler.frontend.names import name_conflict
from xlm_spec.compiler.frontend.schema import current, schema
from xlm_spec.compiler.frontend.spec_builder import SpecBuilder, items_of, listed
from xlm_spec.compiler.middle.spec import Spec
from xlm_spec.diagnostics import Diagnostic, Failed, alternatives

LONGEST_NAME = 60  # files have this name


def validate(doc: Document) -> Spec:
    """Raises Failed with all errors, in the order of the spec."""
    registry = load_components(doc)
    errors = [*validator(registry).iter_errors(doc.values)]
    found = [d for e in errors for d in explain(doc, e)]
    found += [] if found else [*beyond_schema(doc, registry)]
    assert found or not errors, "every error of the schema has a diagnostic"
    if found:
        unique = {(d.span, d.message): d for d in found}
        raise Failed(sorted(unique.values(), key=lambda d: d.order))
    return SpecBuilder(doc, registry).spec()


def validator(registry: Registry) -> Draft202012Validator:
    return Draft202012Validator(schema(registry.components_of)) if registry.custom else shipped()


@cache
def shipped() -> Draft202012Validator:
    return Draft202012Validator(current())


def beyond_schema(doc: Document, registry: Registry) -> list[Diagnostic]:
    """The errors that the schema does not find."""
    return [
        *package_name(doc),
        *sampler_names(doc),
        *duplicates(doc),
        *task(doc),
        *entries(doc),
        *divisible(doc, registry),
    ]


def package_name(doc: Document) -> list[Diagnostic]:
    """The name of the package is not that of another module."""
    name = doc.values["name"]
    if invalid_name(name):
        return [doc.diagnostic("X107", invalid_name(name), ("name",))]
    conflict = name_conflict(name)
    return [doc.diagnostic("X107", conflict[0], ("name",), conflict[1])] if conflict else []


def sampler_names(doc: Document) -> list[Diagnostic]:
    """Sampler names are Python names."""
    value = doc.at(axes.SAMPLER.parts)
    found = []
    for name in value if axes.named(value) else ():
        path = (*axes.SAMPLER.parts, name)
        if invalid_name(name):
            found.append(doc.diagnostic("X107", invalid_name(name), path, key=True))
        if keyword.iskeyword(name):
            message, hint = f"`{name}` is a Python keyword", f"write, for example, `{name}_1`"
            found.append(doc.diagnostic("X107", message, path, hint, key=True))
    return found


def divisible(doc: Document, registry: Registry) -> list[Diagnostic]:
    """Parameters of the backbone that divide into equal parts of even size (`EVEN`)."""
    key = axes.BACKBONE.key
    backbone = SpecBuilder(doc, registry).one(axes.BACKBONE)
    found = []
    numbers: dict[str, Any] = {p.name: p.default for p in backbone.component.parameters}
    numbers |= backbone.given
    for whole, parts in EVEN.of(backbone.component).items():
        size, count = numbers[whole], numbers[parts]
        if size % (2 * count):
            message = f"`{key}.{whole}` = {size} cannot be split into {count} {parts} of even size"
            hint = f"write a multiple of {2 * count}"
            found.append(doc.diagnostic("X106", message, (key, whole), hint))
    return found


def invalid_name(name: str) -> str:
    """The message for names that the schema allows: with a line break at the end, or too long."""
    if name.endswith("\n"):
        return f"{in_words(name)} ends with a line break"
    return f"{in_words(name)} is longer than {LONGEST_NAME} characters" * (len(name) > LONGEST_NAME)


def duplicates(doc: Document) -> list[Diagnostic]:
    """Each target is in its list once, and each loss once for each target that it names."""
    found = []
    tops = (a for a in axes.AXES if a.many and a not in axes.AROUND)
    for axis in (a for a in tops if doc.at(a.parts)):
        items = items_of(doc, axis)
        several = {(name, given.get(axes.OF, "")) for name, given in items}
        for i, (name, given) in enumerate(items):
            before = [(n, g.get(axes.OF, "")) for n, g in items[:i] if n == name]
            if not before or not ((name, "") in several or (name, given[axes.OF]) in before):
                continue
            key = isinstance(listed(doc.at(axis.parts))[i], dict)
            path: Path_ = (*axis.parts, i, name) if key else (*axis.parts, i)
            message = f"duplicate item `{name}` in `{axis.path}`"
            hint = "remove one of them"
            if axis is axes.LOSS and len(listed(doc.at(axes.TARGET.parts))) > 1:
                hint = f"{hint}, or name a different target in each with `of`"
            found.append(doc.diagnostic("X108", message, path, hint, key))
    return [*(found or terms_of_one_name(doc)), *duplicates_in_samplers(doc)]


def duplicates_in_samplers(doc: Document) -> list[Diagnostic]:
    """Each wrap and each corrector of a sampler is in its list once."""
    found = []
    where, value = axes.SAMPLER.parts, doc.at(axes.SAMPLER.parts)
    samplers = [(*where, name) for name in value] if axes.named(value) else [where]
    for axis, path in ((a, (*path, a.key)) for path in samplers for a in axes.AROUND):
        items = doc.at(path)
        if not isinstance(items, list):
            continue
        names = [next(iter(v)) if isinstance(v, dict) else v for v in items]
        for i, name in enumerate(names):
            if name in names[:i]:
                key = isinstance(items[i], dict)
                item = (*path, i, name) if key else (*path, i)
                message = f"duplicate item `{name}` in `{axis.path}`"
                found.append(doc.diagnostic("X108", message, item, "remove one of them", key))
    return found


def terms_of_one_name(doc: Document) -> list[Diagnostic]:
    """A loss that is listed for several targets does not have a term named like another loss."""
    items = items_of(doc, axes.LOSS)
    several = [n for n, count in Counter(name for name, _ in items).items() if count > 1]
    stems = [PurePosixPath(name).stem for name, _ in items]
    found = []
    for i, (name, given) in enumerate(items):
        term = f"{stems[i]}_{given[axes.OF]}" if name in several else ""
        if term in stems:
            message = f"two terms have the name `{term}`"
            path = (axes.LOSS.path, i, name)
            found.append(doc.diagnostic("X108", message, path, f"rename loss `{term}`", True))
    return found


def task(doc: Document) -> list[Diagnostic]:
    """The task exists and has these options; the file of a custom task is not read."""
    data = doc.values.get("data") or {}
    name, known = data.get("task", runtime_settings.default_task()), runtime_settings.tasks()
    if name.endswith(".py") or "/" in name:
        return []
    if name not in known:
        message = f"`data.task`: unknown task {in_words(name)}"
        return [doc.diagnostic("X105", message, ("data", "task"), alternatives(name, known))]
    own = [p.name for p in known[name]]
    others = {p.name for options in known.values() for p in options} - {*own}
    return [
        doc.diagnostic(
            "X102", f"task `{name}` has no option `{k}`", ("data", k), alternatives(k, own), True
        )
        for k in data
        if k in others
    ]
