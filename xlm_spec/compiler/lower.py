"""Spec -> Plan: defaults filled in, components and heads chosen, files named, glue laid out.

The plan is plain data without floats: both engines that render it (ours and copier) read it alike.
"""

import json
from dataclasses import asdict, dataclass

from xlm_spec.compiler.code import Call, imports, mapping
from xlm_spec.compiler.components import component
from xlm_spec.compiler.config import config, quoted, value
from xlm_spec.compiler.method import Line, Loop, Method, compose
from xlm_spec.compiler.parts import Parts, docstring, listed_file
from xlm_spec.compiler.spec import Choice, Spec

IR_VERSION = 1


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
    experiment: dict
    method: dict  # the spec with its defaults, for readers
    inferred: dict  # what follows from it
    card: list[str]  # rows of the table in its README

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
        model, objective = self.model(), self.objective()
        self.parts.needed["types"] |= {"Examples", "Vocab"}
        modules = [*self.parts.libraries(), *lists]
        exports = ["NEEDS", "SAMPLERS", "Config", "Examples", "Model", "Vocab"]
        exports += ["log_likelihood_bound"] * method.bound + ["objective", "sample"]
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
            objective=objective,
            init=self.init(),
            experiment=self.experiment(),
            method=self.described(),
            inferred={
                "attention": method.attention,
                "bound": method.bound,
                "fill": method.fill,
                "heads": method.heads,
                "needs": method.needs,
                "time_conditioned": "t" in method.backbone_methods["forward"].wires,
            },
            card=[card(c) for c in method.choices],
        )

    # ---- glue ------------------------------------------------------------------------------------

    def objective(self) -> dict:
        method = self.method
        lines: list[str] = []
        if method.schedule:
            lines.append("    schedule = config.noise.schedule")
        for line in method.objective:
            lines += assign(line, 4)
        terms: dict[str, str] = {}
        made: set[str] = set()
        for term in method.terms:
            for asked in (term.target, term.weight):
                if asked and str(asked.call) not in made:
                    lines += assign(asked, 4)
                    made.add(str(asked.call))
            value = f"{term.weight.name} * {term.call}" if term.weight else str(term.call)
            terms[term.loss.value] = f"({value}).sum(1)" if term.weight else f"{value}.sum(1)"
        lines += mapping(terms, 4)
        called = [line.call.function for line in method.objective]
        called += [t.weight.call.function for t in method.terms if t.weight]
        noise = self.spec.process.component.functions | (
            method.time.component.functions if method.time else {}
        )
        wanted = {
            "torch": {"Generator", "Tensor"},
            ".config": {"Config"},
            ".loss": {t.call.function for t in method.terms},
            ".noise": {f for f in called if f in noise},
            ".target": {t.target.call.function for t in method.terms},
            ".types": {"Examples"},
        }
        exact = "hidden" not in self.spec.process.component.types["Noised"]
        told = (
            "The exact"
            if not method.schedule and exact
            else "An unbiased estimate of a lower bound of"
        )
        doc = f"{told} log p(x), (B,), nats per sequence."
        bound = [{"doc": doc, "lines": negated(list(terms))}] if method.bound else []
        return {"imports": imports(wanted), "lines": lines, "bounds": bound}

    def sampler(self, loop: Loop) -> dict:
        c = loop.loop
        wanted: dict[str, set[str]] = {}
        parts = self.parts.take(c, set(c.functions) - {"__init__"}, wanted)
        prior = loop.start[0].call
        own = loop.state in c.types
        wanted.setdefault(".noise", set()).add(prior.function)
        wanted.setdefault(".types", set()).update({"Examples"} | (set() if own else {loop.state}))
        wanted.setdefault(".config", set()).add("Config")
        wanted.setdefault("collections.abc", set()).add("Iterator")
        wanted.setdefault("torch", set()).add("Generator")
        wanted.setdefault("", set()).add("torch")
        self.parts.needed["types"] |= {"Examples"} | (set() if own else {loop.state})
        lines = [f"    {name} = {place}" for name, place in loop.objects.items()]
        for line in loop.start:
            lines += assign(line, 4)
        lines.append("    yield state")
        lines += loop.times.lines(f"for {', '.join(loop.ticks)} in ", ":", 4)
        lines += loop.step.lines("state = ", "", 8)
        lines.append("        yield state")
        if loop.finished:
            lines += [f"        if {loop.finished}:", "            return"]
        several = len(self.method.loops) > 1
        which = f"Sampler `{loop.sampling.name}`" if several else "The sampler"
        signature = Call(
            "sample", ("model", "config: Config", "start: Examples", "rng: Generator")
        ).lines("def ", f" -> Iterator[{loop.state}]:")
        doc = docstring(f"{which} of {self.spec.name}", f"{c.title[0].lower()}{c.title[1:]}.")
        return listed_file(loop.sampling.name, doc, wanted, parts) | {
            "module": loop.module,
            "signature": signature,
            "lines": lines,
        }

    def model(self) -> dict:
        method = self.method
        backbone = self.spec.backbone.component
        wanted: dict[str, set[str]] = {}
        parts = self.parts.take(backbone, {"Backbone"}, wanted)
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

    # ---- the rest --------------------------------------------------------------------------------

    def init(self) -> dict:
        samplers = {loop.sampling.name: loop.module for loop in self.method.loops}
        wanted = {
            ".config": {"Config"},
            ".model": {"Model"},
            ".objective": {"objective"}
            | ({"log_likelihood_bound"} if self.method.bound else set()),
            ".types": {"Examples", "Vocab"},
        }
        for module in samplers.values():
            alias = "sample" if module == "sampler" else f"sample as {module}"
            wanted.setdefault(f".{module}", set()).add(alias)
        functions = {n: "sample" if m == "sampler" else m for n, m in samplers.items()}
        listed = ", ".join(f'"{n}": {f}' for n, f in functions.items())
        needs = "".join(f'"{n}", ' for n in self.method.needs)
        return {
            "doc": self.spec.title.replace("\\", "\\\\").replace('"', '\\"'),
            "imports": imports(wanted),
            "needs": f"({needs[:-1]})" if len(self.method.needs) < 2 else f"({needs[:-2]})",
            "samplers": f"{{{listed}}}",
        }

    def experiment(self) -> dict:
        """What the spec says of data and training, as Python; the runtime gives it a meaning."""
        data = {"task": "star_easy", "fill": self.method.fill} | self.spec.data
        literal = {"data": data, "train": self.spec.train}
        return {k: [f'    "{n}": {quoted(v)},' for n, v in d.items()] for k, d in literal.items()}

    def described(self) -> dict:
        """The method with every default filled in; numbers as text."""

        def of(c: Choice) -> dict[str, str]:
            numbers = {p.name: value(p, c.given) for p in c.component.parameters}
            return {"kind": c.value, **numbers}

        samplers = {
            p.sampling.name: {**of(p.sampling.loop), **{k: of(r) for k, r in p.rules.items()}}
            for p in self.method.loops
        }
        return {
            "noise": {
                "process": of(self.spec.process),
                **{k: of(c) for k, c in self.method.optional.items()},
            },
            "target": [t.value for t in self.spec.targets],
            "loss": [{"kind": t.value, "weight": t.weight} for t in self.spec.losses],
            "sampler": samplers,
            "backbone": of(self.spec.backbone),
        }


def card(c: Choice) -> str:
    """A row of Markdown: axis, value, what it is, where it is from."""
    cells = c.axis.path, f"`{c.value}`", c.component.title, c.component.paper
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def negated(terms: list[str]) -> list[str]:
    """The lines that return minus the sum of the objective's terms."""
    call = "objective(model, x, config, rng)"
    if len(terms) == 1:
        return [f'    return -{call}["{terms[0]}"]']
    total = " + ".join(f'terms["{t}"]' for t in terms)
    return [f"    terms = {call}", f"    return -({total})"]


def assign(line: Line, indent: int) -> list[str]:
    return line.call.lines(f"{line.name} = ", f"  # {line.shape}" * bool(line.shape), indent)
