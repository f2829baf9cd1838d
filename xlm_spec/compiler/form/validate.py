"""Document -> Spec: right keys, right types, right ranges (X1xx)."""

import keyword
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from xlm_spec.compiler import axes
from xlm_spec.compiler.form.choosing import Choosing, listed
from xlm_spec.compiler.form.errors import explain, told_of
from xlm_spec.compiler.form.load import Document
from xlm_spec.compiler.form.names import hides
from xlm_spec.compiler.form.schema import current, schema
from xlm_spec.compiler.own.shelf import Shelf, stocked
from xlm_spec.compiler.spec import Spec
from xlm_spec.diagnostics import Diagnostic, Failed, alternatives

TASK = "star_easy"  # of a spec that names none
LONGEST_NAME = 60  # files are named by it


def validate(doc: Document) -> Spec:
    """Raises Failed with everything that is wrong with the form, in order of place."""
    shelf = stocked(doc)
    errors = [*validator(shelf).iter_errors(doc.values)]
    found = [d for e in errors for d in explain(doc, e)]
    found += [] if found else [*late(doc, shelf)]
    assert found or not errors, "what the schema refuses is told"
    if found:
        unique = {(d.span, d.message): d for d in found}
        raise Failed(sorted(unique.values(), key=lambda d: d.order))
    return Choosing(doc, shelf).spec()


def validator(shelf: Shelf) -> Draft202012Validator:
    return Draft202012Validator(schema(shelf.cards)) if shelf.own else shipped()


@cache
def shipped() -> Draft202012Validator:
    return Draft202012Validator(current())


def late(doc: Document, shelf: Shelf) -> list[Diagnostic]:
    """What is wrong with a document that is right by the schema."""
    return [*reserved(doc), *sampler_names(doc), *twice(doc), *task(doc), *even(doc, shelf)]


def reserved(doc: Document) -> list[Diagnostic]:
    """The package's name shadows nothing."""
    name = doc.values["name"]
    if no_name(name):
        return [doc.diagnostic("X107", no_name(name), ("name",))]
    why = hides(name)
    return [doc.diagnostic("X107", why[0], ("name",), why[1])] if why else []


def sampler_names(doc: Document) -> list[Diagnostic]:
    """A sampler's name is a name in Python, and no two of them read alike there."""
    value = doc.values["sampler"]
    names = list(value) if isinstance(value, dict) and "kind" not in value else []
    found, seen = [], dict[str, str]()
    for name in names:
        path = ("sampler", name)
        if no_name(name):
            found.append(doc.diagnostic("X107", no_name(name), path, key=True))
        if keyword.iskeyword(name):
            told = f"`{name}` is a word of Python"
            found.append(doc.diagnostic("X107", told, path, f"for example `{name}_1`", key=True))
        other = seen.setdefault(name.replace("_", ""), name)
        inner = name.removesuffix(f"_{axes.OUTER.key}")
        other = inner if inner != name and inner in names else other
        if other != name:
            told = f"samplers `{other}` and `{name}` are too much alike"
            found.append(doc.diagnostic("X107", told, path, "rename one of them", key=True))
    return found


def even(doc: Document, shelf: Shelf) -> list[Diagnostic]:
    """Numbers of the network that divide into so many parts of even size."""
    key = axes.BACKBONE.key
    backbone = Choosing(doc, shelf).choice(axes.BACKBONE, doc.values[key], (key,))
    found = []
    numbers: dict[str, Any] = {p.name: p.default for p in backbone.component.parameters}
    numbers |= backbone.given
    for whole, parts in backbone.component.constants.get("EVEN", {}).items():
        size, count = numbers[whole], numbers[parts]
        if size % (2 * count):
            told = f"`{key}.{whole}` = {size} does not divide into {count} {parts} of even size"
            hint = f"a multiple of {2 * count}"
            found.append(doc.diagnostic("X106", told, (key, whole), hint))
    return found


def no_name(name: str) -> str:
    """What the schema's pattern lets through: a new line at the end, any length."""
    if name.endswith("\n"):
        return f"{told_of(name)} ends in a new line"
    return f"{told_of(name)} is longer than {LONGEST_NAME} characters" * (len(name) > LONGEST_NAME)


def twice(doc: Document) -> list[Diagnostic]:
    """A target or a loss stands in its list once."""
    found = []
    for axis in (axes.TARGET, axes.LOSS):
        value = doc.values[axis.path]
        items = listed(value)
        names = [next(iter(v)) if isinstance(v, dict) else v for v in items]
        for i, name in enumerate(names):
            if name in names[:i]:
                path = (axis.path, i, name) if isinstance(items[i], dict) else (axis.path, i)
                told = f"`{name}` stands twice in `{axis.path}`"
                found.append(
                    doc.diagnostic("X108", told, path, "leave one of them out", key=len(path) > 2)
                )
    return found


def task(doc: Document) -> list[Diagnostic]:
    """A task of the runtime's, and options that are its own; a user's file is not looked into."""
    data = doc.values.get("data") or {}
    name, known = data.get("task", TASK), axes.tasks()
    if name.endswith(".py") or "/" in name:
        return []
    if name not in known:
        told = f"`data.task`: no task is called {told_of(name)}"
        return [doc.diagnostic("X105", told, ("data", "task"), alternatives(name, known))]
    own = [p.name for p in known[name]]
    others = {p.name for options in known.values() for p in options} - {*own}
    return [
        doc.diagnostic(
            "X102", f"task `{name}` has no `{k}`", ("data", k), alternatives(k, own), key=True
        )
        for k in data
        if k in others
    ]
