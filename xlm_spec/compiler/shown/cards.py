"""The card of a component, for `xlm-spec axes` and for the reference pages alike."""

from dataclasses import dataclass, replace
from pathlib import Path

from xlm_spec.compiler.axes import AXES, LOSS, SCHEDULE, WEIGHT, Axis, cards
from xlm_spec.compiler.components import Component, Parameter, component
from xlm_spec.compiler.form.words import language, meant, places
from xlm_spec.compiler.own.reading import own
from xlm_spec.diagnostics import Diagnostic, Failed, alternatives

# What a component of a one-of axis is used for; others are named like their file, or are a class.
PRINCIPAL = ("choose", "corrupt", "sample_time", "step", "windows", "Backbone")
LOOPS = {"Interval", "Round", "Window"}  # what the loop of a sampler goes over
GIVEN = {"x", "rng", "model"}  # wires that every method has


@dataclass(frozen=True)
class Card:
    """What a component says of itself."""

    axis: Axis
    value: str
    title: str
    equation: str  # the first line of the docstring of what it is used for
    notes: dict[str, str]  # function or class -> its docstring, but for that line
    needs: tuple[str, ...]  # wires that it reads and others make
    makes: str
    bound: str  # whether it belongs to a likelihood bound; "" where that is no question
    paper: str
    synonyms: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    path: str  # of its file, below templates/components


def card(axis: Axis, c: Component) -> Card:
    """The card of a component on an axis."""
    notes = {n: f.doc for n, f in c.functions.items()} | c.classes
    principal = next((n for n in (*PRINCIPAL, c.value, c.object) if n in notes), "")
    equation, _, rest = notes.get(principal, "").partition("\n")
    noised = ", ".join(sorted(c.types.get("Noised", {})))
    main = c.functions.get(c.value)
    words = language()[axis.parts]  # of a parameter: what any value of the axis says
    read = {w for f in c.functions.values() for w in f.wires}
    return Card(
        axis=axis,
        value=c.value,
        title=c.title,
        equation=equation,
        notes={n: d for n, d in (notes | {principal: rest.strip()}).items() if d},
        needs=tuple(sorted(read - {*GIVEN, axis.wire, *ticks(c)})),
        makes=noised or axis.wire or (f"{main.returns} {main.shape}".strip() if main else ""),
        bound=bound(axis, c),
        paper=c.paper,
        synonyms=tuple(c.synonyms),
        parameters=tuple(
            replace(p, synonyms=tuple(sorted(words.get(p.name, ())))) for p in c.parameters
        ),
        path=f"{c.path}.py",
    )


def ticks(c: Component) -> set[str]:
    """What a loop's own `times` or `windows` gives its steps: the fields of what it yields."""
    kinds = component("", "types").types
    yielded = (f.returns.removeprefix("Iterator[").rstrip("]") for f in c.functions.values())
    return {field for kind in yielded if kind in LOOPS for field in kinds[kind]}


def bound(axis: Axis, c: Component) -> str:
    """Whether a bound of the log-likelihood may hold with it."""
    stated = c.constants.get("BOUND")
    if axis == SCHEDULE and stated:
        return "with " + ", ".join(f"{k} = {v:g}" for k, v in stated.items()) + " alone"
    return ("yes" if stated else "no") if axis in (LOSS, WEIGHT) else ""


def show(axis: str | None, value: str | None) -> str:
    """All axes, the values of one, or the card of one value, or of a file.

    Raises Failed (X105; X109–X113 of a file).
    """
    if axis is None:
        return "\n\n".join(table(a) for a in AXES)
    found = find(axis)
    if value is None:
        return table(found)
    if value.endswith(".py"):
        return text(card(found, own(Path(value), found.folder)))
    known = cards(found)
    if value not in known:
        called = meant(found, value)[0]
        hint = f"that is called `{called}` here" if called else alternatives(value, known)
        raise Failed(Diagnostic("X105", f"axis `{found.path}` has no value `{value}`", hint))
    return text(card(found, known[value]))


def find(name: str) -> Axis:
    """An axis by its path or the last part of it."""
    found = next((a for a in AXES if name in (a.path, a.key, a.folder)), None)
    if found is None:
        hint = " or ".join(known_as(name)) or alternatives(name, [a.path for a in AXES])
        raise Failed(Diagnostic("X105", f"no axis is called `{name}`", hint))
    return found


def known_as(word: str) -> list[str]:
    """What the language has for a word: a value of an axis, or a key."""
    values = [(a.path, meant(a, word)[0]) for a in AXES]
    keys = [(".".join(p) or "the spec", k) for p, k in places(word).items()]
    return [f"`{found}` of `{where}`" for where, found in [*values, *keys] if found]


def table(axis: Axis) -> str:
    known = cards(axis)
    wide = max(map(len, known))
    default = f" (default: {axis.default})" if axis.default else ""
    rows = [f"  {v:{wide}}  {c.title}" for v, c in known.items()]
    return "\n".join([f"{axis.path}: {axis.meaning}{default}", *rows])


def text(c: Card) -> str:
    """A card, as a terminal shows it."""
    lines = [
        ("", c.title),
        ("equation", c.equation),
        ("needs", ", ".join(c.needs)),
        ("makes", c.makes),
        ("bound", c.bound),
        ("paper", c.paper),
        ("also known as", ", ".join(c.synonyms)),
    ]
    out = [f"{c.axis.path}: {c.value}"]
    out += [f"  {name:14} {told}" for name, told in lines if told]
    out += [f"  {p.name:14} {described(p)}" for p in c.parameters]
    return "\n".join(out)


def described(p: Parameter) -> str:
    also = f"; also known as {', '.join(p.synonyms)}" if p.synonyms else ""
    return f"{p.type} = {p.default}{f', in {p.range}' if p.range else ''}: {p.meaning}{also}"
