"""Method -> Plan: what the package contains, as data."""

import re
from pathlib import PurePosixPath

from xlm_spec.compiler import components
from xlm_spec.compiler.components import LAW, Parameter
from xlm_spec.compiler.declarations import MINIMISER
from xlm_spec.compiler.emit.config import config, quoted
from xlm_spec.compiler.emit.objective import objective
from xlm_spec.compiler.emit.parts import Parts
from xlm_spec.compiler.emit.plan import Assign, Function, Init, Model, Plan, Return, imported
from xlm_spec.compiler.emit.samplers import Samplers
from xlm_spec.compiler.middle.call import Call
from xlm_spec.compiler.middle.likelihood import bound_at, exact_at, likelihood
from xlm_spec.compiler.middle.method import Method
from xlm_spec.compiler.middle.network import methods, model_arguments, passes
from xlm_spec.compiler.middle.spec import Choice
from xlm_spec.compiler.middle.special_tokens import fill, needs
from xlm_spec.compiler.middle.summary import inferred, with_defaults
from xlm_spec.compiler.runtime_settings import default_task

SCHEMA = re.compile(
    r"(?:^|(?<=[\r\n]))#[ \t]*(?:yaml-language-server[ \t]*:.*?\$schema=|\$schema[ \t]*:[ \t]*)"
    r"(?P<path>\S+)[^\r\n]*(?:\r\n?|\n|$)"
)
ELSEWHERE = re.compile(r"[A-Za-z][\w+.-]*:|/|\\")  # the start of a URL or an absolute path


def lower(method: Method, inside: bool = False) -> Plan:
    """The plan of a method that passed `check`; `inside`: its spec is in the package itself."""
    assert not method.problems, "check comes before lower"
    return Lowering(method, inside).plan()


def copied(text: str) -> str:
    """The text of a spec for another folder: without the line that names the schema for editors,
    if its path is relative."""
    return SCHEMA.sub(lambda m: m[0] if ELSEWHERE.match(m["path"]) else "", text)


class Lowering:
    """The lowering of one method."""

    def __init__(self, method: Method, inside: bool):
        self.method, self.spec, self.parts = method, method.spec, Parts(method)
        text = self.spec.document.text
        self.source = text if inside else copied(text)

    def plan(self) -> Plan:
        spec, method = self.spec, self.method
        lists = self.parts.lists()
        samplers = Samplers(method, self.parts)
        kinds, named = samplers.kinds(), [*samplers.around(), *samplers.named()]
        model = self.model()
        self.parts.needed["types"] |= {"Examples", "Vocab"}
        modules = [*self.parts.libraries(), *lists, *named]
        exports = ["BOUND_AT", "EXACT", "NEEDS", "SAMPLERS", "Config", "Examples", "Model", "Vocab"]
        exports += ["log_likelihood_bound"] * (likelihood(method) != "none") + [
            "objective",
            "sample",
        ]
        return Plan(
            name=spec.name,
            title=spec.title,
            paper=spec.paper,
            source=self.source,
            exports=exports,
            modules=modules,
            samplers=kinds,
            config=config(method),
            model=model,
            objective=objective(method),
            init=self.init(),
            experiment=self.experiment(),
            method=with_defaults(method),
            inferred=inferred(method),
            card=[card(c) for c in method.choices],
            parts=self.parts.texts,
            own=self.own(),
            laws=self.laws(),
            exact_at=self.exact_at(),
            minimisers=self.minimisers(),
        )

    # ---- glue ------------------------------------------------------------------------------------

    def model(self) -> Model:
        method = self.method
        wanted: dict[str, set[str]] = {}
        parts = self.parts.network(wanted)
        # the numbers of the section `backbone` are the parameters of a Backbone
        build = Call("Backbone", (*method.built, "**vars(config.backbone)"))
        heads = [Assign(f"self.{head.name}", head.call) for head in method.heads]
        wanted.setdefault(".config", set()).add("Config")
        wanted.setdefault("torch", set()).update({"Tensor", "nn"})
        return Model(
            imports=imported(wanted),
            parts=parts,
            attributes=[Assign("self.backbone", build), *heads],
            methods=[self.passed_on(m) for m in ("forward", *passes(method))],
        )

    def passed_on(self, name: str) -> Function:
        """A method of the backbone that the model passes on; `forward` always accepts a time."""
        f = methods(self.spec.backbone.component)[name]
        required, optional = model_arguments(f)
        arguments = [argument(f, w) for w in required]
        arguments += ["t: Tensor | None = None"] if name == "forward" else []
        arguments += [argument(f, w) for w in optional]
        arguments += ["*", *map(keyword, f.parameters)] if f.parameters else []
        target = "self.backbone" if name == "forward" else f"self.backbone.{name}"
        given = [*f.wires, *(f"{p.name}={p.name}" for p in f.parameters)]
        body = (Return(Call(target, tuple(given))),)
        doc = f.doc.split("\n")[0]
        return Function(name, ("self", *arguments), f.returns, body, doc)

    def own(self) -> list[dict]:
        """The files of custom components, and of their types, that stand beside the spec."""
        custom = [c for c in (*self.method.listed, *self.spec.types) if c.source]
        files = {PurePosixPath(c.file): c.source for c in custom}
        return [{"path": p.name, "text": files[p]} for p in sorted(files) if len(p.parts) == 1]

    def laws(self) -> list[dict]:
        """The law files of custom components."""
        found = {f"{c.value}{LAW}": c.law for c in self.method.listed if c.law}
        return [{"name": name, "text": found[name]} for name in sorted(found)]

    def exact_at(self) -> dict[str, dict]:
        """The parameters of samplers that can be exact, as text."""
        known = {loop.sampling.name: exact_at(self.method, loop) for loop in self.method.loops}
        return {
            name: {k: repr(n) for k, n in numbers.items()}
            for name, numbers in known.items()
            if numbers is not None
        }

    def minimisers(self) -> dict[str, str]:
        """What each loss declares, with those that only the bound has."""
        losses = [t.loss.component for t in (*self.method.terms, *self.method.bound)]
        return {c.value: MINIMISER.of(c) for c in losses if MINIMISER.of(c)}

    # ---- the rest --------------------------------------------------------------------------------

    def init(self) -> Init:
        wanted = {
            ".config": {"Config"},
            ".model": {"Model"},
            ".objective": {"objective"}
            | ({"log_likelihood_bound"} if likelihood(self.method) != "none" else set()),
            ".types": {"Examples", "Vocab"},
        }
        loops = self.method.loops
        several = len(loops) > 1
        wanted |= {".samplers": {"SAMPLERS", "sample"}} if several else {".sampler": {"sample"}}
        return Init(
            imports=imported(wanted),
            bound_at={k: repr(v) for k, v in bound_at(self.method).items()},
            exact=likelihood(self.method) == "exact",
            needs=needs(self.method),
            samplers={} if several else {loops[0].sampling.name: "sample"},
        )

    def experiment(self) -> dict[str, dict[str, str]]:
        """The settings of data and training as Python source; the runtime interprets them."""
        data = {"task": default_task(), "fill": fill(self.spec)} | self.spec.data
        literal = {"DATA": data, "TRAIN": self.spec.train}
        return {k: {n: quoted(v) for n, v in d.items()} for k, d in literal.items()}


def argument(f: components.Function, wire: str) -> str:
    """An argument of a method, as in its signature."""
    kind, default = f.wires[wire], f.defaults.get(wire)
    if default is None:
        return f"{wire}: {kind}" if kind else wire
    return f"{wire}: {kind} = {default}" if kind else f"{wire}={default}"


def keyword(p: Parameter) -> str:
    """A keyword-only argument of a method, as in its signature."""
    kind = f": {p.type}" if p.type else ""
    equals = " = " if kind else "="
    return f"{p.name}{kind}" + (f"{equals}{p.default!r}" if p.default is not None else "")


def card(c: Choice) -> dict[str, str]:
    """A choice in the table of the README."""
    of = c.component
    return {"axis": c.axis.path, "value": c.value, "title": of.title, "paper": of.paper}
