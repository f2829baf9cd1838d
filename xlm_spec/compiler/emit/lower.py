"""Method -> Plan: everything that the templates print, as plain data.

The plan holds no floats, so that both engines that render it (ours and copier) agree.
"""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath

from xlm_spec.compiler.components import LAW, Function, Parameter
from xlm_spec.compiler.declarations import MINIMISER
from xlm_spec.compiler.emit.code import Call, assigned, imports
from xlm_spec.compiler.emit.config import config, quoted
from xlm_spec.compiler.emit.objective import objective
from xlm_spec.compiler.emit.parts import Parts
from xlm_spec.compiler.emit.samplers import Samplers
from xlm_spec.compiler.middle.likelihood import bound_at, exact_at, likelihood
from xlm_spec.compiler.middle.method import Method
from xlm_spec.compiler.middle.network import methods, model_arguments, passes
from xlm_spec.compiler.middle.spec import Choice
from xlm_spec.compiler.middle.special_tokens import fill, needs
from xlm_spec.compiler.middle.summary import inferred, with_defaults
from xlm_spec.compiler.runtime_settings import default_task

IR_VERSION = 1
URL = re.compile(r"https?://[\w./?=%#:;,~+-]+")
MARKUP = re.compile(r"[\\`*_\[\]<>&~#$]")
SCHEMA = re.compile(
    r"(?:^|(?<=[\r\n]))#[ \t]*(?:yaml-language-server[ \t]*:.*?\$schema=|\$schema[ \t]*:[ \t]*)"
    r"(?P<path>\S+)[^\r\n]*(?:\r\n?|\n|$)"
)
ELSEWHERE = re.compile(r"[A-Za-z][\w+.-]*:|/|\\")  # the start of a URL or an absolute path
BLOCK = re.compile(r"^(\d*)([-+.)])")  # the start of a list or a rule in Markdown


@dataclass(frozen=True)
class Plan:
    """Everything that the templates print. The templates read its fields by name."""

    ir_version: int
    name: str
    title: str
    paper: str
    source: str  # the text of spec.yaml
    exports: list[str]
    modules: list[dict]  # files that only list parts: {name, doc, summary, imports, parts}
    samplers: list[dict]  # the same, and {module, signature, lines, more: [{signature, lines}]}
    config: dict
    model: dict
    objective: dict
    init: dict
    experiment: list[str]
    method: dict  # the spec with its defaults
    inferred: dict  # properties inferred from the spec
    card: list[str]  # rows of the table in its README
    parts: dict[str, str]  # the text of each definition, by the name that files list
    head: dict  # title and paper as Markdown
    own: list[dict]  # custom components beside the spec: {path, text}
    laws: list[dict]  # their law files: {name, text}
    exact_at: dict[str, dict]  # by sampler, the parameters with which it is exact
    minimisers: dict[str, str]  # by loss, the predictions that minimise it

    def as_json(self) -> str:
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"


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
            ir_version=IR_VERSION,
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
            head={"title": inert(spec.title), "paper": inert(spec.paper)},
            own=self.own(),
            laws=self.laws(),
            exact_at=self.exact_at(),
            minimisers=self.minimisers(),
        )

    # ---- glue ------------------------------------------------------------------------------------

    def model(self) -> dict:
        method = self.method
        wanted: dict[str, set[str]] = {}
        parts = self.parts.network(wanted)
        # the numbers of the section `backbone` are the parameters of a Backbone
        build = Call("Backbone", (*method.built, "**vars(config.backbone)"))
        lines = build.lines("self.backbone = ", "", 8)
        for head in method.heads:
            lines += head.call.lines(f"self.{head.name} = ", "", 8)
        wanted.setdefault(".config", set()).add("Config")
        wanted.setdefault("torch", set()).update({"Tensor", "nn"})
        return {
            "imports": imports(wanted),
            "parts": parts,
            "lines": lines,
            "passes": [self.passed_on(m) for m in ("forward", *passes(method))],
        }

    def passed_on(self, name: str) -> dict:
        """A method of the backbone that the model passes on; `forward` always accepts a time."""
        f = methods(self.spec.backbone.component)[name]
        required, optional = model_arguments(f)
        arguments = [argument(f, w) for w in required]
        arguments += ["t: Tensor | None = None"] if name == "forward" else []
        arguments += [argument(f, w) for w in optional]
        arguments += ["*", *map(keyword, f.parameters)] if f.parameters else []
        target = "self.backbone" if name == "forward" else f"self.backbone.{name}"
        signature = Call(name, ("self", *arguments)).lines(
            "def ", f" -> {f.returns}:" if f.returns else ":", 4
        )
        doc = f.doc.split("\n")[0]
        given = [*f.wires, *(f"{p.name}={p.name}" for p in f.parameters)]
        body = Call(target, tuple(given)).lines("return ", "", 8)
        return {"lines": [*signature, f'        """{doc}"""', *body]}

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

    def init(self) -> dict:
        wanted = {
            ".config": {"Config"},
            ".model": {"Model"},
            ".objective": {"objective"}
            | ({"log_likelihood_bound"} if likelihood(self.method) != "none" else set()),
            ".types": {"Examples", "Vocab"},
        }
        loops = self.method.loops
        if len(loops) > 1:
            wanted[".samplers"], table = {"SAMPLERS", "sample"}, []
        else:
            wanted[".sampler"] = {"sample"}
            table = assigned("SAMPLERS", {loops[0].sampling.name: "sample"})
        numbers = {k: repr(v) for k, v in bound_at(self.method).items()}
        asked = "".join(f'"{n}", ' for n in needs(self.method))
        return {
            "doc": self.spec.title.replace("\\", "\\\\").replace('"', '\\"'),
            "imports": imports(wanted),
            "bound_at": assigned("BOUND_AT", numbers, "  # where the bound holds"),
            "exact": likelihood(self.method) == "exact",
            "needs": f"({asked[:-1]})" if asked.count(",") < 2 else f"({asked[:-2]})",
            "samplers": table,
        }

    def experiment(self) -> list[str]:
        """The settings of data and training as Python source; the runtime interprets them."""
        data = {"task": default_task(), "fill": fill(self.spec)} | self.spec.data
        literal = {"DATA": data, "TRAIN": self.spec.train}
        quotes = {k: {n: quoted(v) for n, v in d.items()} for k, d in literal.items()}
        return [line for name, entries in quotes.items() for line in assigned(name, entries)]


def argument(f: Function, wire: str) -> str:
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


def card(c: Choice) -> str:
    """A row of a Markdown table: axis, value, title, paper."""
    cells = c.axis.path, f"`{c.value}`", c.component.title, c.component.paper
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def inert(text: str) -> str:
    """Markdown that shows a text literally, or as a link if it is an address."""
    if URL.fullmatch(text):
        return f"<{text}>"
    return BLOCK.sub(r"\1\\\2", MARKUP.sub(r"\\\g<0>", text))
