"""The types of declarations: their allowed values, and the errors of other values."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Protocol

from xlm_spec.compiler.axes import NOISE, is_clock
from xlm_spec.compiler.components import Component, component, kind, values
from xlm_spec.diagnostics import alternatives, shown


class Form(Protocol):
    """The type of a declaration."""

    @property
    def allowed(self) -> str: ...  # in words

    def faults(self, name: str, value: object, c: Component) -> Iterator[tuple[str, str]]:
        """The errors of a value: (message, hint)."""


def literal(value: object) -> str:
    return repr(value).replace("'", '"')


def not_allowed(name: str, form: Form, value: object) -> str:
    return f"`{name}` must be {form.allowed}, not {shown(literal(value))}"


def contradictions(name: str, excluded: Iterable[str], c: Component) -> Iterator[tuple[str, str]]:
    """The errors of declarations that contradict another one."""
    for other in (n for n in excluded if c.constants.get(n)):
        yield f"{kind(c.folder)} cannot declare both `{other}` and `{name}`", "remove one of them"


@dataclass(frozen=True)
class Flag:
    """True, or False, which is the default."""

    excludes: tuple[str, ...] = ()  # declarations that a component cannot have beside it
    allowed: ClassVar[str] = "True or False"

    def faults(self, name: str, value: object, c: Component) -> Iterator[tuple[str, str]]:
        if not isinstance(value, bool):
            yield not_allowed(name, self, value), f"write `{name} = True`"
        elif value:
            yield from contradictions(name, self.excludes, c)


@dataclass(frozen=True)
class Word:
    """One of a few words."""

    words: tuple[str, ...]

    @property
    def allowed(self) -> str:
        return " or ".join(f'"{w}"' for w in self.words)

    def faults(self, name: str, value: object, c: Component) -> Iterator[tuple[str, str]]:
        if not isinstance(value, str) or value not in self.words:
            yield not_allowed(name, self, value), alternatives(value, self.words)


@dataclass(frozen=True)
class LossOfElbo:
    """A shipped loss on the same target that is a term of the negative ELBO."""

    flag: str  # the declaration of such a loss
    excludes: tuple[str, ...]  # declarations that a component cannot have beside this one

    @property
    def allowed(self) -> str:
        return f"the name of a shipped loss on the same target that declares {self.flag}"

    def faults(self, name: str, value: object, c: Component) -> Iterator[tuple[str, str]]:
        kind = c.main.wires.get("target")
        losses = [component("loss", v) for v in values("loss") if v != c.value]
        same = [loss for loss in losses if loss.main.wires["target"] == kind]
        known = [loss.value for loss in same if loss.constants.get(self.flag)]
        if not isinstance(value, str) or value not in known:
            yield not_allowed(name, self, value), alternatives(value, known)
        else:
            yield from contradictions(name, self.excludes, c)


@dataclass(frozen=True)
class Targets:
    """Several shipped targets."""

    allowed: ClassVar[str] = "a tuple of shipped targets"

    def faults(self, name: str, value: object, c: Component) -> Iterator[tuple[str, str]]:
        if not isinstance(value, tuple) or not value:
            yield not_allowed(name, self, value), f"targets: {', '.join(values('target'))}"
            return
        for word in (w for w in value if w not in values("target")):
            message = f"`{name}` names `{shown(str(word))}`, which is not a shipped target"
            yield message, alternatives(word, values("target"))


@dataclass(frozen=True)
class ValuesOfAxes:
    """For some axes, several shipped values."""

    axes: tuple[str, ...]

    @property
    def allowed(self) -> str:
        return f"a mapping from {' or '.join(map(repr, self.axes))} to tuples of shipped values"

    def faults(self, name: str, value: object, c: Component) -> Iterator[tuple[str, str]]:
        pairs = [*value.items()] if isinstance(value, dict) else []
        if not pairs or not all(k in self.axes and isinstance(v, tuple) and v for k, v in pairs):
            yield not_allowed(name, self, value), f"axes: {', '.join(self.axes)}"
            return
        for axis, words in pairs:
            for word in (w for w in words if w not in values(axis)):
                message = f"`{name}` names `{shown(str(word))}`, which is not a shipped {axis}"
                yield message, alternatives(word, values(axis))


@dataclass(frozen=True)
class OtherHead:
    """A head that defines a class."""

    allowed: ClassVar[str] = "the name of another head, which defines a class"

    def faults(self, name: str, value: object, c: Component) -> Iterator[tuple[str, str]]:
        known = [v for v in values("head") if v != c.value and component("head", v).classes]
        if not isinstance(value, str) or value not in known:
            yield not_allowed(name, self, value), alternatives(value, known)
        elif c.modules:
            message = f"a head cannot declare `{name}` and define a class"
            yield message, f"remove `{name}` or the class `{c.modules[0]}`"


@dataclass(frozen=True)
class Name:
    """A function of the count; the count of the spec decides which ones exist."""

    allowed: ClassVar[str] = "the name of a function of the count"

    def faults(self, name: str, value: object, c: Component) -> Iterator[tuple[str, str]]:
        if not (isinstance(value, str) and value.isidentifier()):
            hint = f"functions of the shipped counts: {', '.join(functions_of_counts())}"
            yield not_allowed(name, self, value), hint


@dataclass(frozen=True)
class NameByTarget:
    """For each target, the name of a function of the count or of the process, or `ONE`."""

    allowed: ClassVar[str] = "a mapping from targets to functions of the count or of this file"

    def faults(self, name: str, value: object, c: Component) -> Iterator[tuple[str, str]]:
        pairs = [*value.items()] if isinstance(value, dict) else [(0, 0)]
        if not all(isinstance(w, str) and w.isidentifier() for pair in pairs for w in pair):
            functions = f"functions of the shipped counts: {', '.join(functions_of_counts())}"
            targets = f"shipped targets: {', '.join(values('target'))}"
            yield not_allowed(name, self, value), f"{targets}; {functions}"


@dataclass(frozen=True)
class Values:
    """Values of parameters of the component."""

    allowed: ClassVar[str] = "a mapping from parameters of this component to values"

    def faults(self, name: str, value: object, c: Component) -> Iterator[tuple[str, str]]:
        known = {p.name: p for p in c.parameters}
        if not isinstance(value, dict):
            yield not_allowed(name, self, value), parameters(known)
            return
        for key, given in value.items():
            if key not in known:
                yield no_parameter(name, key, c), alternatives(key, known)
            elif not known[key].accepts(given):
                message = f"`{key}` in `{name}` must be {known[key].allowed}"
                yield f"{message}, not {shown(literal(given))}", ""


@dataclass(frozen=True)
class Conversion:
    """From one kind of prediction to another one."""

    allowed: ClassVar[str] = '{"posterior": "leave_one_out"} or {"leave_one_out": "posterior"}'

    def faults(self, name: str, value: object, c: Component) -> Iterator[tuple[str, str]]:
        if value not in ({"posterior": "leave_one_out"}, {"leave_one_out": "posterior"}):
            yield not_allowed(name, self, value), ""


@dataclass(frozen=True)
class Divisors:
    """From an integer parameter of the component to another one."""

    allowed: ClassVar[str] = "a mapping from int parameters of this component to int parameters"

    def faults(self, name: str, value: object, c: Component) -> Iterator[tuple[str, str]]:
        known = [p.name for p in c.parameters if p.type == "int"]
        if not isinstance(value, dict):
            yield not_allowed(name, self, value), parameters(known)
            return
        for word in (w for pair in value.items() for w in pair if w not in known):
            message = no_parameter(name, word, c)
            if any(p.name == word for p in c.parameters):
                message = f"`{name}` names `{word}`, which is not an int parameter"
            yield message, alternatives(word, known)


def no_parameter(name: str, word: object, c: Component) -> str:
    return f"`{name}` names `{shown(word)}`, which is not a parameter of this component"


def parameters(known: Iterable[str]) -> str:
    return f"parameters: {', '.join(known) or 'none'}"


def functions_of_counts() -> list[str]:
    """The functions of shipped counts that can be weights."""
    return sorted({f for v in values("count") for f in weighting(component("count", v))})


def weighting(count: Component) -> set[str]:
    """The functions of a count that can be weights: they require only what is drawn before."""
    drawn = {"x", "vocab", "rng", *(a.wire for a in NOISE)}
    functions = count.functions.items()
    able = {n for n, f in functions if all(w in drawn or is_clock(w) for w in f.wires)}
    return able - {"select_tokens", "likelihood"}
