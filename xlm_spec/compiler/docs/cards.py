"""The card of a component, for `xlm-spec axes` and for the reference pages."""

from dataclasses import dataclass, replace
from pathlib import Path

from xlm_spec.compiler.axes import AXES, LOSS, WEIGHT, Axis, components_of
from xlm_spec.compiler.components import Component, Parameter, component
from xlm_spec.compiler.declarations import of_axis
from xlm_spec.compiler.frontend.custom.parse import custom_component
from xlm_spec.compiler.frontend.synonyms import form, instead, language, sections_with
from xlm_spec.compiler.middle.likelihood import in_elbo, is_elbo_weight
from xlm_spec.diagnostics import Diagnostic, Failed, alternatives

# The main function or class of a component; on other axes it is named like its file.
PRINCIPAL = ("select_tokens", "corrupt", "sample_time", "step", "windows", "Backbone")
LOOPS = {"Interval", "Round", "Window"}  # what the loop of a sampler iterates over
COMMON = {"x", "rng", "model"}  # wires that every method provides


@dataclass(frozen=True)
class Card:
    """The documentation of a component, read from its source."""

    axis: Axis
    value: str
    title: str
    equation: str  # first line of the docstring of its main function or class
    notes: dict[str, str]  # function or class -> its docstring without that line
    requires: tuple[str, ...]  # wires that other components provide
    provides: str
    bound: str  # does it belong to a likelihood bound? "" if that does not apply
    declares: dict[str, str]  # `SMALL = ...` -> its meaning
    paper: str
    synonyms: tuple[str, ...]
    differs: dict[str, str]  # note -> the words of other code that it explains
    parameters: tuple[Parameter, ...]
    path: str  # of its file in templates/components


def card(axis: Axis, c: Component) -> Card:
    """The card of a component on an axis."""
    notes = {n: f.doc for n, f in c.functions.items()} | c.classes
    principal = next((n for n in (*PRINCIPAL, c.value, c.object, c.network) if n in notes), "")
    equation, _, rest = notes.get(principal, "").partition("\n")
    noised = ", ".join(sorted(c.types.get("Noised", {})))
    main = c.functions.get(c.value)
    words = language()[axis.parts]  # synonyms of parameters, from any value of the axis
    read = {w for f in c.functions.values() for w in f.wires}
    return Card(
        axis=axis,
        value=c.value,
        title=c.title,
        equation=equation,
        notes={n: d for n, d in (notes | {principal: rest.strip()}).items() if d},
        requires=tuple(sorted(read - {*COMMON, axis.wire, *ticks(c)})),
        provides=noised or axis.wire or (f"{main.returns} {main.shape}".strip() if main else ""),
        bound=bound(axis, c),
        declares={d.written(c): d.meaning for d in of_axis(c.folder).values() if d.written(c)},
        paper=c.paper,
        synonyms=tuple(c.synonyms),
        differs=by_note(c.differs),
        parameters=tuple(
            replace(p, synonyms=tuple(sorted(words.get(p.name, ())))) for p in c.parameters
        ),
        path=f"{c.path}.py",
    )


def by_note(differs: dict[str, str]) -> dict[str, str]:
    """Each note once, with the words that it explains."""
    words: dict[str, list[str]] = {}
    for word, note in differs.items():
        words.setdefault(note, []).append(word)
    return {note: ", ".join(w) for note, w in words.items()}


def ticks(c: Component) -> set[str]:
    """The wires that a loop's `time_grid` or `windows` provides: the fields of what it yields."""
    kinds = {n: f for n, f in component("", "types").types.items() if n in LOOPS} | c.types
    yielded = (f.returns.removeprefix("Iterator[").rstrip("]") for f in c.functions.values())
    return {field for kind in yielded if kind in kinds for field in kinds[kind]}


def bound(axis: Axis, c: Component) -> str:
    """Whether a loss or a weight belongs to the ELBO."""
    if axis not in (LOSS, WEIGHT):
        return ""
    return "yes" if (in_elbo(c) if axis == LOSS else is_elbo_weight(c)) else "no"


def describe(axis: str | None, value: str | None) -> str:
    """All axes, the values of one axis, or the card of one value or of a file.

    Raises Failed (X105; for a file X109-X113).
    """
    if axis is None:
        return "\n\n".join(table(a) for a in AXES)
    found = find(axis)
    if value is None:
        return table(found)
    if value.endswith(".py"):
        return text(card(found, custom_component(Path(value), found.folder)))
    known = components_of(found)
    if value not in known:
        hint = instead(found, value) or alternatives(value, known)
        raise Failed(Diagnostic("X105", f"unknown value `{value}` of axis `{found.path}`", hint))
    return text(card(found, known[value]))


def find(name: str) -> Axis:
    """The axis with this path, or with this last part of a path."""
    found = next((a for a in AXES if name in (a.path, a.key, a.folder)), None)
    if found is None:
        hint = " or ".join(known_as(name)) or alternatives(name, [a.path for a in AXES])
        raise Failed(Diagnostic("X105", f"unknown axis `{name}`", hint))
    return found


def known_as(word: str) -> list[str]:
    """The values and keys of the spec language that other code calls by this word."""
    values = [(a.path, form(a, word)) for a in AXES]
    keys = [(".".join(p) or "the spec", k) for p, k in sections_with(word).items()]
    return [f"`{found}` of `{where}`" for where, found in [*values, *keys] if found]


def table(axis: Axis) -> str:
    known = components_of(axis)
    wide = max(map(len, known), default=0)
    default = f" (default: {axis.default})" if axis.default else ""
    rows = [f"  {v:{wide}}  {c.title}" for v, c in known.items()]
    return "\n".join([f"{axis.path}: {axis.meaning}{default}", *rows])


def text(c: Card) -> str:
    """A card as text for a terminal."""
    lines = [
        ("", c.title),
        ("equation", c.equation),
        ("requires", ", ".join(c.requires)),
        ("provides", c.provides),
        ("bound", c.bound),
        ("paper", c.paper),
        ("also known as", ", ".join(c.synonyms)),
    ]
    out = [f"{c.axis.path}: {c.value}"]
    out += [f"  {name:14} {line}" for name, line in lines if line]
    out += [f"  {'declares':14} {line}: {meaning}" for line, meaning in c.declares.items()]
    out += [f"  {'differs':14} {words}: {note}" for note, words in c.differs.items()]
    out += [f"  {p.name:14} {parameter_line(p)}" for p in c.parameters]
    return "\n".join(out)


def parameter_line(p: Parameter) -> str:
    also = f"; also known as {', '.join(p.synonyms)}" if p.synonyms else ""
    return f"{p.type} = {p.default}{f', in {p.range}' if p.range else ''}: {p.meaning}{also}"
