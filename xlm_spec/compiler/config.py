"""Every number of a method as the lines of its config.py: a section for each part of the spec."""

import json

from xlm_spec.compiler.code import Call, commented, imports
from xlm_spec.compiler.components import Parameter
from xlm_spec.compiler.method import Method
from xlm_spec.compiler.parts import MODULE_OF
from xlm_spec.compiler.spec import Choice

TOY = 8  # ordinary tokens of the toy vocabulary


class Sections:
    """The sections of a Config, inner ones first, and what they import."""

    def __init__(self) -> None:
        self.made: list[dict] = []
        self.wanted: dict[str, set[str]] = {"dataclasses": {"dataclass"}, ".types": {"Vocab"}}

    def instance(self, key: str, c: Choice) -> list[str]:
        """A field that is an object: a schedule, a rule."""
        name = c.component.object
        self.wanted.setdefault(f".{MODULE_OF[c.component.folder]}", set()).add(name)
        given = [f"{p.name}={value(p, c.given)}" for p in c.component.parameters]
        return commented(f"    {key}: {name} = {Call(name, tuple(given))}", c.component.title)

    def section(self, path: str, doc: str, fields: list[str]) -> list[str]:
        """Adds a section if it has fields; the lines by which an outer one refers to it."""
        if not fields:
            return []
        key = path.rpartition(".")[2]
        kind = "".join(w.capitalize() for w in path.replace(".", "_").split("_"))
        self.made.append({"name": kind, "key": key, "doc": doc, "lines": fields})
        return [f"    {key}: {kind} = {kind}()"]


def config(method: Method) -> dict:
    """Imports, sections, and the fields of Config itself."""
    sections, spec = Sections(), method.spec
    noise = sections.instance("schedule", method.schedule) if method.schedule else []
    if method.time:
        noise += sections.section("noise.time", "How times are drawn.", numbers(method.time))
    if method.count:
        told = "How many tokens are hidden."
        noise += sections.section("noise.count", told, numbers(method.count))
    told = f"Process {spec.process.value}."
    noise += sections.section("noise.process", told, numbers(spec.process))
    top = sections.section("noise", "The noise process.", noise)
    top += targets(sections, method)
    top += losses(sections, method)
    top += samplers(sections, method)
    backbone = f"The network, {spec.backbone.value}."
    top += sections.section("backbone", backbone, numbers(spec.backbone))
    return {
        "imports": imports(sections.wanted),
        "sections": sections.made,
        "lines": top,
        "small": small(method),
    }


def targets(sections: Sections, method: Method) -> list[str]:
    """A section for each target that has numbers."""
    inner = []
    for target in method.spec.targets:
        path, told = f"target.{target.value}", f"Target {target.value}."
        inner += sections.section(path, told, numbers(target))
    return sections.section("target", "What the network is asked for.", inner)


def losses(sections: Sections, method: Method) -> list[str]:
    """A section for each term that has numbers."""
    inner = []
    for loss in method.spec.losses:
        path = f"loss.{loss.value}"
        weight = numbers(loss.weight) if loss.weight else []
        fields = numbers(loss)
        fields += sections.section(f"{path}.weight", f"Weight of {loss.value}.", weight)
        inner += sections.section(path, f"Loss {loss.value}.", fields)
    return sections.section("loss", "The terms of the loss.", inner)


def samplers(sections: Sections, method: Method) -> list[str]:
    """One section, or one for each name inside another."""
    several, inner = len(method.loops) > 1, []
    for loop in method.loops:
        fields = numbers(loop.sampling.loop)
        for key, rule in loop.rules.items():
            fields += sections.instance(key, rule)
        name = f"sampler.{loop.sampling.name}" if several else "sampler"
        if loop.outer:
            told = f"Loop {loop.outer.choice.value} around it."
            fields += sections.section(f"{name}.outer", told, numbers(loop.outer.choice))
        inner += sections.section(name, f"Sampler {loop.loop.value}.", fields)
    return sections.section("sampler", "The samplers.", inner) if several else inner


def small(method: Method) -> list[str]:
    """The lines that make a tiny Config."""
    ids = {k: TOY + i for i, k in enumerate(["pad", "bos", *method.needs])}
    vocab = Call("Vocab", tuple(f"{k}={v}" for k, v in {"size": TOY + len(ids), **ids}.items()))
    tiny = method.spec.backbone.component.constants["SMALL"]
    backbone = Call("Backbone", tuple(f"{k}={v!r}" for k, v in tiny.items()))
    return Call("cls", (f"vocab={vocab}", f"backbone={backbone}")).lines("return ", "", 8)


def numbers(c: Choice) -> list[str]:
    """The fields that hold a component's parameters."""
    return [line for p in c.component.parameters for line in number(p, c.given)]


def value(p: Parameter, given: dict) -> str:
    """A parameter's value as Python source."""
    v = given.get(p.name, p.default)
    return quoted({"float": float, "int": int}.get(p.type, lambda x: x)(v))


def quoted(v: object) -> str:
    return json.dumps(v, ensure_ascii=False) if isinstance(v, str) else repr(v)


def number(p: Parameter, given: dict) -> list[str]:
    told = f"{p.meaning}; in {p.range}" if p.range else p.meaning
    return commented(f"    {p.name}: {p.type} = {value(p, given)}", told)
