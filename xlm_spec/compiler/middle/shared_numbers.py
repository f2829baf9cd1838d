"""Numbers that one component owns and others require.

A positional argument of type int, float or bool that no component computes is the parameter of that
name of exactly one other component of the spec, so that a spec states the number once.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from xlm_spec.compiler.axes import SAMPLER, WEIGHT
from xlm_spec.compiler.components import Function
from xlm_spec.compiler.middle.spec import Choice, Spec

SETTINGS = "settings"  # of one of several samplers, in the functions of its file
NUMBERS = {"int": ("int",), "float": ("float", "int"), "bool": ("bool",)}  # type -> of its owner


@dataclass(frozen=True)
class Owner:
    """A component that has the number as a parameter."""

    number: str  # its path in the spec
    expression: str  # that holds it, in the package


def owners(
    spec: Spec, defaults: Iterable[Choice], reader: Choice, f: Function, wire: str
) -> list[Owner]:
    """The parameters of other components with the name and the type of a wire.

    A component in a sampler reads the numbers of this sampler, not those of others.
    """
    allowed = NUMBERS.get(f.wires[wire], ())
    sampler = sampler_of(spec, reader)
    found = []
    for choice, path in settings(spec, defaults):
        inside = sampler_of(spec, choice) if sampler else ""
        known = {p.name for p in choice.component.parameters if p.type in allowed}
        if wire in known and where(choice) != where(reader) and inside in ("", sampler):
            place = f"{SAMPLER.config}.{sampler}" if inside else ""
            expression = f"{SETTINGS}{path.removeprefix(place)}" if inside else path
            found.append(Owner(f"{path.removeprefix('config.')}.{wire}", f"{expression}.{wire}"))
    return found


def sampler_of(spec: Spec, c: Choice) -> str:
    """The name of the sampler that a choice belongs to, if there are several; else ""."""
    several = len(spec.samplers) > 1 and c.path[:1] == SAMPLER.parts
    return str(c.path[1]) if several else ""


def where(c: Choice) -> tuple:
    return c.axis.place, c.path


def names(spec: Spec, defaults: Iterable[Choice], reader: Choice | None = None) -> set[str]:
    """The names of all numbers of a spec, without those of the reader."""
    others = (c for c, _ in settings(spec, defaults) if not reader or where(c) != where(reader))
    return {p.name for c in others for p in c.component.parameters if p.type in NUMBERS}


def settings(spec: Spec, defaults: Iterable[Choice]) -> Iterator[tuple[Choice, str]]:
    """The choices of a spec, and the paths of their parameters in the config.

    `defaults`: choices that the spec leaves out.
    """
    noise = (spec.process, spec.schedule, *spec.clocks, spec.time, spec.count, *defaults)
    yield from ((c, c.axis.config) for c in (*noise, spec.backbone) if c)
    for c in (*spec.roll_ins, *spec.targets, *spec.losses, *spec.heads):
        path = f"{c.axis.config}.{c.value}"
        yield c, path
        if c.weight:
            yield c.weight, f"{path}.{WEIGHT.key}"
    for s in spec.samplers:
        path = f"{SAMPLER.config}.{s.name}" if len(spec.samplers) > 1 else SAMPLER.config
        yield s.loop, path
        yield from ((rule, f"{path}.{key}") for key, rule in s.rules.items())
        for c in (*s.wraps, *s.correctors):
            yield c, f"{path}.{c.axis.key}.{c.value}"
