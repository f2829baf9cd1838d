"""A package's config.py: all parameters, with a section for each part of a spec."""

import json

from xlm_spec.compiler import axes
from xlm_spec.compiler.components import Parameter
from xlm_spec.compiler.declarations import SMALL
from xlm_spec.compiler.emit.parts import MODULE_OF
from xlm_spec.compiler.emit.plan import Config, Field, Section, imported
from xlm_spec.compiler.middle.call import Call
from xlm_spec.compiler.middle.method import Loop, Method, camel, of_kinds
from xlm_spec.compiler.middle.network import heads_of
from xlm_spec.compiler.middle.spec import Choice
from xlm_spec.compiler.middle.special_tokens import needs

PLURAL = {axes.WRAP: "the wraps", axes.CORRECTOR: "the correctors"}
TOY = 8  # ordinary tokens of the toy vocabulary


class Sections:
    """The sections of a Config, inner ones first, and their imports."""

    def __init__(self) -> None:
        self.made: list[Section] = []
        self.wanted: dict[str, set[str]] = {"dataclasses": {"dataclass"}, ".types": {"Vocab"}}

    def imported(self, c: Choice) -> str:
        """The class of an object: a schedule, a rule."""
        name = c.component.object
        self.wanted.setdefault(f".{MODULE_OF[c.component.folder]}", set()).add(name)
        return name

    def instance(self, key: str, c: Choice) -> Field:
        """A field that is an object."""
        return Field(key, self.imported(c), made(c), c.component.title)

    def add(self, name: str, doc: str, fields: list[Field]) -> None:
        """Adds a section if it has fields, and is not there yet."""
        if any(f.type.startswith("Literal[") for f in fields):
            self.wanted["typing"] = {"Literal"}
        if fields and name not in {s.name for s in self.made}:
            self.made.append(Section(name, doc, fields))

    def section(self, path: str, doc: str, fields: list[Field]) -> list[Field]:
        """Adds the section of a path; the field by which an outer one refers to it, if any."""
        name = "".join(w.capitalize() for w in path.replace(".", "_").split("_"))
        self.add(name, doc, fields)
        return [Field(path.rpartition(".")[2], name, Call(name))] if fields else []


def config(method: Method) -> Config:
    """Imports, sections, and the fields of Config."""
    sections, spec = Sections(), method.spec
    noise = [sections.instance(c.axis.key, c) for c in method.schedules]
    if method.time:
        noise += sections.section(axes.TIME.path, "how times are drawn", numbers(method.time))
    if method.count:
        doc = "how many tokens are corrupted"
        noise += sections.section(axes.COUNT.path, doc, numbers(method.count))
    doc = f"process {spec.process.value}"
    noise += sections.section(axes.PROCESS.path, doc, numbers(spec.process))
    noise += roll_ins(sections, method)
    top = sections.section("noise", "the noise", noise)
    top += targets(sections, method)
    top += losses(sections, method)
    top += samplers(sections, method)
    backbone = f"backbone {spec.backbone.value}"
    top += sections.section("backbone", backbone, numbers(spec.backbone))
    top += heads(sections, method)
    return Config(imported(sections.wanted), sections.made, top, small(method))


def roll_ins(sections: Sections, method: Method) -> list[Field]:
    """A section for each roll-in that has parameters."""
    inner = []
    for roll_in in method.spec.roll_ins:
        path, doc = f"{axes.ROLL_IN.path}.{roll_in.value}", f"roll-in {roll_in.value}"
        inner += sections.section(path, doc, numbers(roll_in))
    return sections.section(axes.ROLL_IN.path, "the roll-ins", inner)


def targets(sections: Sections, method: Method) -> list[Field]:
    """A section for each target that has parameters."""
    inner = []
    for target in method.spec.targets:
        path, doc = f"{axes.TARGET.path}.{target.value}", f"target {target.value}"
        inner += sections.section(path, doc, numbers(target))
    return sections.section("target", "the targets", inner)


def losses(sections: Sections, method: Method) -> list[Field]:
    """A section for each term that has parameters."""
    inner = []
    for loss in method.spec.losses:
        path, key = f"{axes.LOSS.path}.{loss.name}", axes.WEIGHT.key
        weight = numbers(loss.weight) if loss.weight else []
        fields = numbers(loss)
        if loss.factor is not None:
            meaning = "the weight of a term of the objective; in [0, inf)"
            fields.append(Field(key, "float", repr(loss.factor), meaning))
        fields += sections.section(f"{path}.{key}", f"weight of {loss.name}", weight)
        inner += sections.section(path, f"loss {loss.name}", fields)
    return sections.section("loss", "the terms of the loss", inner)


def heads(sections: Sections, method: Method) -> list[Field]:
    """A section for each head of the model that has parameters, also if the spec lists no head."""
    inner, known = [], heads_of(method.spec)
    for head in method.heads:
        path, doc = f"{axes.HEAD.path}.{head.name}", f"head {head.name}"
        given = known[head.name].given
        fields = [declared(p, value(p, given)) for p in head.component.parameters]
        inner += sections.section(path, doc, fields)
    return sections.section("head", "the heads", inner)


def samplers(sections: Sections, method: Method) -> list[Field]:
    """The section of the only sampler; or one with the numbers of each, by its name."""
    if len(method.loops) > 1:
        for loops in of_kinds(method.loops):
            kind(sections, loops)
        listed = [field for loop in method.loops for field in stated(loop)]
        return sections.section("sampler", "the samplers by name", listed)
    [loop] = method.loops
    fields = numbers(loop.sampling.loop)
    for key, rule in loop.rules.items():
        fields.append(sections.instance(key, rule))
    for axis, chosen in loop.lists.items():
        inner = []
        for c in chosen:
            doc = f"{axis.key} {c.value}"
            inner += sections.section(f"{axis.path}.{c.value}", doc, numbers(c))
        fields += sections.section(axis.path, PLURAL[axis], inner)
    return sections.section("sampler", f"sampler {loop.loop.value}", fields)


def kind(sections: Sections, loops: list[Loop]) -> None:
    """The settings of samplers of one kind: the meaning of each parameter, no value."""
    loop = loops[0]
    fields = [declared(p) for p in loop.loop.parameters]
    for key, rule in loop.rules.items():
        objects = {sections.imported(other.rules[key]) for other in loops}
        fields.append(Field(key, " | ".join(sorted(objects)), meaning=rule.axis.meaning))
    for axis, chosen in loop.lists.items():
        inner = []
        for c in chosen:
            given = [declared(p) for p in c.component.parameters]
            sections.add(of_list(c), f"{axis.key} {c.value}", given)
            inner += [Field(c.value, of_list(c))] if given else []
        sections.add(loop.held(axis), PLURAL[axis], inner)
        fields += [Field(axis.key, loop.held(axis))] if inner else []
    listed = [f"{c.axis.key} {c.value}" for c in loop.listed]
    doc = ", ".join([f"sampler {loop.loop.value}", *listed])
    sections.add(loop.settings, doc, fields)


def of_list(c: Choice) -> str:
    """Of several samplers: the class of the numbers of a wrap or a corrector."""
    return f"{camel(c.axis.key)}{camel(c.value)}"


def stated(loop: Loop) -> list[Field]:
    """The field of one of several samplers, with every number that it has."""
    given = arguments(loop.sampling.loop)
    given += [f"{key}={made(rule)}" for key, rule in loop.rules.items()]
    for axis, chosen in loop.lists.items():
        inner = [
            f"{c.value}={Call(of_list(c), tuple(arguments(c)))}"
            for c in chosen
            if c.component.parameters
        ]
        given += [f"{axis.key}={Call(loop.held(axis), tuple(inner))}"] if inner else []
    values = Call(loop.settings, tuple(given))
    return [Field(loop.sampling.name, loop.settings, values)] if given else []


def small(method: Method) -> Call:
    """A tiny Config."""
    ids = {k: TOY + i for i, k in enumerate(["pad", "bos", *needs(method)])}
    vocab = Call("Vocab", tuple(f"{k}={v}" for k, v in {"size": TOY + len(ids), **ids}.items()))
    tiny = SMALL.of(method.spec.backbone.component)
    backbone = Call("Backbone", tuple(f"{k}={v!r}" for k, v in tiny.items()))
    return Call("cls", (f"vocab={vocab}", f"backbone={backbone}"))


def numbers(c: Choice) -> list[Field]:
    """The fields that hold a component's parameters."""
    return [declared(p, value(p, c.given)) for p in c.component.parameters]


def arguments(c: Choice) -> list[str]:
    """A component's parameters, as the spec gives them."""
    return [f"{p.name}={value(p, c.given)}" for p in c.component.parameters]


def made(c: Choice) -> Call:
    """The object of a schedule or a rule."""
    return Call(c.component.object, tuple(arguments(c)))


def value(p: Parameter, given: dict) -> str:
    """A parameter's value as Python source."""
    v = given.get(p.name, p.default)
    return quoted({"float": float, "int": int}.get(p.type, lambda x: x)(v))


def quoted(v: object) -> str:
    match v:
        case str():
            return json.dumps(v, ensure_ascii=False)
        case list():
            return f"[{', '.join(map(quoted, v))}]"
        case dict():
            return f"{{{', '.join(f'{quoted(k)}: {quoted(x)}' for k, x in v.items())}}}"
        case _:
            return repr(v)


def declared(p: Parameter, default: str = "") -> Field:
    """A field, and what it means."""
    doc = f"{p.meaning}; in {p.range}" if p.range else p.meaning
    kind = f"Literal[{', '.join(map(quoted, p.choices))}]" if p.choices else p.type
    return Field(p.name, kind, default, doc)
