"""Spec -> Plan: defaults filled in, components and heads chosen, files named, glue laid out.

The plan is plain data without floats: both engines that render it (ours and copier) read it alike.
"""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath

from xlm_spec.compiler.code import Call, assigned, imports
from xlm_spec.compiler.components import TEMPLATES, component
from xlm_spec.compiler.compose import compose
from xlm_spec.compiler.config import config, quoted, value
from xlm_spec.compiler.method import Loop, Method
from xlm_spec.compiler.objective import assign, objective
from xlm_spec.compiler.parts import Parts, docstring, listed_file
from xlm_spec.compiler.spec import Choice, Spec

IR_VERSION = 1
URL = re.compile(r"https?://[\w./?=%#:;,~+-]+")
MARKUP = re.compile(r"[\\`*_\[\]<>&~#$]")
BLOCK = re.compile(r"^(\d*)([-+.)])")  # what begins a list or a rule


@dataclass(frozen=True)
class Plan:
    """Everything that the templates print. Field names are what the templates read."""

    ir_version: int
    name: str
    title: str
    paper: str
    source: str  # the spec's text
    exports: list[str]
    modules: list[dict]  # pure lists: {name, doc, summary, imports, parts}
    samplers: list[dict]  # the same, and {module, signature, lines}
    config: dict
    model: dict
    objective: dict
    init: dict
    experiment: list[str]
    method: dict  # the spec with its defaults, for readers
    inferred: dict  # what follows from it
    card: list[str]  # rows of the table in its README
    parts: dict[str, str]  # the definitions that the files list; a file names them
    head: dict  # title and paper as Markdown
    own: list[dict]  # components of the author's own, beside the spec: {path, text}
    laws: list[str]  # files of the laws that it is held to
    exact_at: dict[str, dict]  # by sampler, the numbers with which it follows the network's law

    def as_json(self) -> str:
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"


def lower(spec: Spec) -> Plan:
    """The plan of a spec that passed `check`."""
    method = compose(spec)
    assert not method.problems, "check comes before lower"
    return Lowering(method).plan()


class Lowering:
    """One method on its way to a plan."""

    def __init__(self, method: Method):
        self.method, self.spec, self.parts = method, method.spec, Parts(method)

    def plan(self) -> Plan:
        spec, method = self.spec, self.method
        lists = self.parts.lists()
        samplers = [self.sampler(loop) for loop in method.loops]
        model = self.model()
        self.parts.needed["types"] |= {"Examples", "Vocab"}
        modules = [*self.parts.libraries(), *lists]
        exports = ["BOUND_AT", "EXACT", "NEEDS", "SAMPLERS", "Config", "Examples", "Model", "Vocab"]
        exports += ["log_likelihood_bound"] * (method.likelihood != "none") + [
            "objective",
            "sample",
        ]
        return Plan(
            ir_version=IR_VERSION,
            name=spec.name,
            title=spec.title,
            paper=spec.paper,
            source=spec.document.text,
            exports=exports,
            modules=modules,
            samplers=samplers,
            config=config(method),
            model=model,
            objective=objective(method),
            init=self.init(),
            experiment=self.experiment(),
            method=self.described(),
            inferred={
                "attention": method.attention,
                "fill": method.fill,
                "heads": method.heads,
                "likelihood": method.likelihood,
                "needs": method.needs,
                "time_conditioned": method.time_conditioned,
            },
            card=[card(c) for c in method.choices],
            parts=self.parts.texts,
            head={"title": inert(spec.title), "paper": inert(spec.paper)},
            own=self.own(),
            laws=sorted(p.stem for p in (TEMPLATES / "verify").glob("*.py")),
            exact_at=self.exact_at(),
        )

    # ---- glue ------------------------------------------------------------------------------------

    def sampler(self, loop: Loop) -> dict:
        c = loop.loop
        wanted: dict[str, set[str]] = {}
        parts: list[str] = []
        if loop.outer:
            outer = loop.outer.choice.component
            parts += self.parts.take(outer, set(outer.functions), wanted)
        parts += self.parts.take(c, set(c.functions), wanted)
        own = loop.state in c.types
        wanted.setdefault(".noise", set()).add(loop.prior.call.function)
        wanted.setdefault(".types", set()).update({"Examples"} | (set() if own else {loop.state}))
        wanted.setdefault(".config", set()).add("Config")
        wanted.setdefault("collections.abc", set()).add("Iterator")
        wanted.setdefault("torch", set()).add("Generator")
        wanted.setdefault("", set()).add("torch")
        self.parts.needed["types"] |= {"Examples"} | (set() if own else {loop.state})
        several = len(self.method.loops) > 1
        which = f"Sampler `{loop.sampling.name}`" if several else "The sampler"
        signature = Call(
            "sample", ("model", "config: Config", "start: Examples", "rng: Generator")
        ).lines("def ", f" -> Iterator[{loop.state}]:")
        doc = docstring(f"{which} of {self.spec.name}", f"{c.title[0].lower()}{c.title[1:]}.")
        return listed_file(loop.sampling.name, doc, wanted, parts) | {
            "module": loop.module,
            "signature": signature,
            "lines": sampling_lines(loop),
        }

    def model(self) -> dict:
        method = self.method
        backbone = self.spec.backbone.component
        wanted: dict[str, set[str]] = {}
        parts = self.parts.network(backbone, {"Backbone"}, wanted)
        heads = [component("head", h) for h in method.heads]
        for head in heads:
            parts += self.parts.take(head, set(head.fields) | set(head.methods), wanted)
        scope = {
            "vocab_size": "config.vocab.size",
            "direction": f'"{method.attention}"',
            "vocab": "config.vocab",
            "width": "config.backbone.width",
        }
        build = method.backbone_methods["__init__"]
        arguments = [scope[w] for w in build.wires]
        arguments += [f"{p.name}=config.backbone.{p.name}" for p in build.parameters]
        lines = Call("Backbone", tuple(arguments)).lines("self.backbone = ", "", 8)
        for head in heads:
            [(name, methods)] = head.methods.items()
            call = Call(name, tuple(scope[w] for w in methods["__init__"].wires))
            lines += call.lines(f"self.{head.value} = ", "", 8)
        wanted.setdefault(".config", set()).add("Config")
        wanted.setdefault("torch", set()).update({"Tensor", "nn"})
        return {
            "imports": imports(wanted),
            "parts": parts,
            "lines": lines,
            "passes": [self.passed_on(m) for m in ("forward", *method.passes)],
        }

    def passed_on(self, name: str) -> dict:
        """A method of the backbone that the model offers; `forward` takes a time in any case."""
        f = self.method.backbone_methods[name]
        arguments = [f"{w}: {a}" for w, a in f.wires.items() if w != "t"]
        arguments += ["t: Tensor | None = None"] if name == "forward" else []
        target = "self.backbone" if name == "forward" else f"self.backbone.{name}"
        signature = Call(name, ("self", *arguments)).lines("def ", f" -> {f.returns}:", 4)
        doc = f.doc.split("\n")[0]
        body = Call(target, tuple(f.wires)).lines("return ", "", 8)
        return {"lines": [*signature, f'        """{doc}"""', *body]}

    def own(self) -> list[dict]:
        """The files beside the spec that it takes components from: it is nothing without them."""
        mine = {PurePosixPath(c.file): c.source for c in self.method.listed if c.source}
        return [{"path": p.name, "text": mine[p]} for p in sorted(mine) if len(p.parts) == 1]

    def exact_at(self) -> dict[str, dict]:
        """Numbers as text, of the samplers that can be exact."""
        known = {loop.sampling.name: loop.exact_at for loop in self.method.loops}
        return {
            name: {k: repr(n) for k, n in numbers.items()}
            for name, numbers in known.items()
            if numbers is not None
        }

    # ---- the rest --------------------------------------------------------------------------------

    def init(self) -> dict:
        modules = {loop.sampling.name: loop.module for loop in self.method.loops}
        wanted = {
            ".config": {"Config"},
            ".model": {"Model"},
            ".objective": {"objective"}
            | ({"log_likelihood_bound"} if self.method.likelihood != "none" else set()),
            ".types": {"Examples", "Vocab"},
        }
        for module in modules.values():
            alias = "sample" if module == "sampler" else f"sample as {module}"
            wanted.setdefault(f".{module}", set()).add(alias)
        functions = {n: "sample" if m == "sampler" else m for n, m in modules.items()}
        samplers = assigned("SAMPLERS", functions, "  # the first is the default")
        bound_at = {k: repr(v) for k, v in self.method.bound_at.items()}
        needs = "".join(f'"{n}", ' for n in self.method.needs)
        return {
            "doc": self.spec.title.replace("\\", "\\\\").replace('"', '\\"'),
            "imports": imports(wanted),
            "bound_at": assigned("BOUND_AT", bound_at, "  # where the bound holds"),
            "exact": self.method.likelihood == "exact",
            "needs": f"({needs[:-1]})" if len(self.method.needs) < 2 else f"({needs[:-2]})",
            "samplers": samplers,
        }

    def experiment(self) -> list[str]:
        """What the spec says of data and training, as Python; the runtime gives it a meaning."""
        data = {"task": "star_easy", "fill": self.method.fill} | self.spec.data
        literal = {"DATA": data, "TRAIN": self.spec.train}
        quotes = {k: {n: quoted(v) for n, v in d.items()} for k, d in literal.items()}
        return [line for name, entries in quotes.items() for line in assigned(name, entries)]

    def described(self) -> dict:
        """The method with every default filled in; numbers as text."""

        def of(c: Choice) -> dict[str, str]:
            numbers = {p.name: value(p, c.given) for p in c.component.parameters}
            return {"kind": c.value, **numbers}

        samplers = {
            p.sampling.name: {
                **of(p.sampling.loop),
                **{k: of(r) for k, r in p.rules.items()},
                **({"outer": of(p.outer.choice)} if p.outer else {}),
            }
            for p in self.method.loops
        }
        return {
            "noise": {
                "process": of(self.spec.process),
                **{k: of(c) for k, c in self.method.optional.items()},
            },
            "target": [t.value for t in self.spec.targets],
            "loss": [
                {**of(c), **({"weight": of(c.weight)} if c.weight else {})}
                for c in self.spec.losses
            ],
            "sampler": samplers,
            "backbone": of(self.spec.backbone),
        }


def card(c: Choice) -> str:
    """A row of Markdown: axis, value, what it is, where it is from."""
    cells = c.axis.path, f"`{c.value}`", c.component.title, c.component.paper
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def inert(text: str) -> str:
    """Markdown that shows a text as it stands; an address is a link."""
    if URL.fullmatch(text):
        return f"<{text}>"
    return BLOCK.sub(r"\1\\\2", MARKUP.sub(r"\\\g<0>", text))


def sampling_lines(loop: Loop) -> list[str]:
    """The body of `sample`: objects, prior, [a loop around], [enter], for ... in times: step."""
    lines = [f"    {name} = {place}" for name, place in loop.objects.items()]
    lines += assign(loop.prior, 4)
    enter = [loop.enter] if loop.enter else []
    if loop.outer is None:
        lines += [text for line in enter for text in assign(line, 4)]
        return [*lines, "    yield state", *inner_lines(loop, "state", "return", 4)]
    lines.append("    yield state")
    lines += loop.outer.windows.lines(f"for {loop.outer.ticks} in ", ":", 4)
    lines += [text for line in (loop.outer.narrow, *enter) for text in assign(line, 8)]
    return lines + inner_lines(loop, str(loop.outer.widen), "break", 8)


def inner_lines(loop: Loop, shown: str, end: str, indent: int) -> list[str]:
    """The loop itself; `shown` is what it yields, `end` how it ends early."""
    space = " " * indent
    lines = loop.times.lines(f"for {loop.ticks} in ", ":", indent)
    lines += loop.step.lines("state = ", "", indent + 4)
    lines.append(f"{space}    yield {shown}")
    if loop.finished:
        lines += [f"{space}    if {loop.finished}:", f"{space}        {end}"]
    return lines
