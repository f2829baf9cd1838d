"""Document -> Spec: right keys, right types, right ranges (X1xx)."""

import keyword
import sys
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import AXES, Axis, cards
from xlm_spec.compiler.choosing import Choosing, listed
from xlm_spec.compiler.load import Document, Path_
from xlm_spec.compiler.schema import current, schema
from xlm_spec.compiler.shelf import Shelf, stocked
from xlm_spec.compiler.spec import Spec
from xlm_spec.diagnostics import Diagnostic, Failed, alternatives, nearest, shown

WORDS = {
    "number": "a number",
    "integer": "a whole number",
    "string": "a text",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}
TAKEN = {
    *("torch", "lightning", "lightning_fabric", "lightning_utilities", "pytorch_lightning"),
    *("torchmetrics", "datasets", "tensorboard", "safetensors", "numpy", "sympy", "fsspec", "tqdm"),
    *("yaml", "click", "jinja2", "copier", "xlm_spec", "tests", "packaging", "typing_extensions"),
    *("aiohttp", "attr", "attrs", "dill", "filelock", "httpx", "huggingface_hub", "markupsafe"),
    *("mpmath", "multiprocess", "networkx", "pandas", "pyarrow", "requests", "setuptools", "six"),
    *("tokenizers", "triton", "urllib3", "xxhash"),
}
FORMS: dict[type, int] = {dict: 1, list: 2}  # which alternative is meant; a word: the first
TASK = "star_easy"  # of a spec that names none
LONGEST_NAME = 60  # files are named by it
RANGES = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"]


def validate(doc: Document) -> Spec:
    """Raises Failed with everything that is wrong with the form, in order of place."""
    shelf = stocked(doc)
    errors = validator(shelf).iter_errors(doc.values)
    found = [d for e in errors for d in explain(doc, e)]
    found += [] if found else [*late(doc, shelf)]
    if found:
        unique = {(d.span, d.message): d for d in found}
        raise Failed(sorted(unique.values(), key=lambda d: d.order))
    return Choosing(doc, shelf).spec()


def validator(shelf: Shelf) -> Draft202012Validator:
    return Draft202012Validator(schema(shelf.cards) if shelf.own else current())


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


def hides(name: str) -> tuple[str, str] | None:
    """Why no package can have a name, and a way out."""
    if not (keyword.iskeyword(name) or name in sys.stdlib_module_names or name in TAKEN):
        return None
    told = f"a package called `{name}` would hide another module of that name"
    return told, f"for example `{name}_lm`"


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
        names = [next(iter(v)) if isinstance(v, dict) else v for v in listed(value)]
        for i, name in enumerate(names):
            if name in names[:i]:
                told = f"`{name}` stands twice in `{axis.path}`"
                found.append(doc.diagnostic("X108", told, (axis.path, i), "leave one of them out"))
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
    own = {p.name for p in known[name]}
    others = {p.name for options in known.values() for p in options} - own
    return [
        doc.diagnostic(
            "X102", f"task `{name}` has no `{k}`", ("data", k), alternatives(k, own), key=True
        )
        for k in data
        if k in others
    ]


def explain(doc: Document, error: ValidationError) -> list[Diagnostic]:
    """What a person is told of one schema error."""
    path = tuple(error.absolute_path)
    value: Any = error.instance
    wanted: Any = error.validator_value
    rules: Any = error.schema
    match error.validator:
        case "additionalProperties" | "propertyNames" if error.validator == "propertyNames":
            return []
        case "additionalProperties":
            keys = list(rules.get("properties", {}))
            return [unknown(doc, (*path, k), keys) for k in value if k not in keys]
        case "required":
            gone = [k for k in wanted if k not in value]
            strangers = [k for k in value if k not in rules.get("properties", {})]
            gone = [k for k in gone if not nearest(k, strangers)]  # else a misspelt key says it
            return [missing(doc, path, k) for k in gone]
        case "anyOf":
            form = FORMS.get(type(value), 0)
            meant = form if form < len(wanted) - 1 else 0  # the last is a path
            found = [e for e in error.context or [] if e.relative_schema_path[0] == meant]
            return [d for e in found for d in explain(doc, e)]
        case "enum" if path == ("data", "task"):
            return []  # told by `task`
        case "enum" | "const":
            known = wanted if error.validator == "enum" else [wanted]
            return [not_allowed(doc, path, value, known)]
        case "type":
            return [wrong_type(doc, path, value, wanted)]
        case "pattern":
            told = f"{told_of(value)} is no name: words of small letters and digits, joined by _"
            sampler = path == ("sampler",)  # one of its keys
            return [doc.diagnostic("X107", told, (*path, value) if sampler else path, key=sampler)]
        case rule if rule in RANGES:
            return [out_of_range(doc, path, value, rules)]
        case _:
            return [doc.diagnostic("X104", f"{dotted(path)}: {shown(error.message)}", path)]


def unknown(doc: Document, path: Path_, known: list[str]) -> Diagnostic:
    key, where = path[-1], dotted(path[:-1])
    value = synonym(path, key)
    hint = value or alternatives(key, known)
    return doc.diagnostic("X102", f"unknown key {told_of(key)} in {where}", path, hint, key=True)


def missing(doc: Document, path: Path_, key: str) -> Diagnostic:
    axis = axis_at((*path, key))
    hint = f"{axis.meaning}; one of: {', '.join(cards(axis))}" if axis else ""
    return doc.diagnostic("X103", f"{dotted(path)} has no `{key}`", path, hint, key=True)


def not_allowed(doc: Document, path: Path_, value: object, known: list) -> Diagnostic:
    message = f"{dotted(path)}: {told_of(value)} is not one of its values"
    hint = synonym(path, value) or alternatives(value, map(str, known))
    return doc.diagnostic("X105", message, path, hint)


def wrong_type(doc: Document, path: Path_, value: object, wanted: str) -> Diagnostic:
    hint = ""
    if isinstance(value, str) and wanted in ("number", "integer"):
        bare = value.replace("_", "")
        hint = f"write {bare}" if bare.lstrip("-").replace(".", "", 1).isdigit() else ""
    if (
        isinstance(value, str)
        and wanted == "boolean"
        and value.lower() in ("yes", "no", "on", "off")
    ):
        hint = f"write {'true' if value.lower() in ('yes', 'on') else 'false'} (YAML 1.2)"
    message = f"{dotted(path)} is {WORDS[wanted]}, not {told_of(value)}"
    return doc.diagnostic("X104", message, path, hint)


def out_of_range(doc: Document, path: Path_, value: object, rule: dict) -> Diagnostic:
    low = rule.get("minimum", rule.get("exclusiveMinimum"))
    high = rule.get("maximum", rule.get("exclusiveMaximum"))
    left = "(" if low is None or "exclusiveMinimum" in rule else "["
    right = ")" if high is None or "exclusiveMaximum" in rule else "]"
    end = f"{-float('inf') if low is None else low:g}, {float('inf') if high is None else high:g}"
    message = f"{dotted(path)} = {value} lies outside {left}{end}{right}"
    return doc.diagnostic("X106", message, path, rule.get("description", ""))


def synonym(path: Path_, word: object) -> str:
    """The hint where a word of other code or papers was written."""
    axis = axis_at(path) or axis_at(path[:-1])
    known = cards(axis).items() if axis else ()
    found = [value for value, c in known if word in c.synonyms]
    return f"that is called `{found[0]}` here" if found else ""


def axis_at(path: Path_) -> Axis | None:
    """The axis that a path of the document belongs to."""
    words = [p for p in path if isinstance(p, str) and p != "kind"]
    if words[:1] == ["sampler"] and len(words) > 1:  # perhaps behind a sampler's name
        inner = {a.key for a in (*axes.RULES, axes.OUTER)}
        words = ["sampler", words[-1]] if words[-1] in inner else ["sampler"]
    if words[:1] == ["loss"] and words[-1] == axes.WEIGHT.key:  # behind a loss' name
        words = ["loss", axes.WEIGHT.key]
    return next((a for a in AXES if a.path == ".".join(words)), None)


def dotted(path: Path_) -> str:
    text = "".join(f"[{p}]" if isinstance(p, int) else f".{shown(p)}" for p in path).lstrip(".")
    return f"`{text}`" if text else "the spec"


def told_of(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case str():
            return f"`{shown(value)}`"
        case _:
            return str(value)
