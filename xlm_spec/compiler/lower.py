"""Spec -> Plan: defaults filled in, components and heads chosen, files named, glue laid out.

The plan is plain data without floats: both engines that render it (ours and copier) read it alike.
"""

import json
import textwrap
from dataclasses import asdict, dataclass

from xlm_spec.compiler.code import WIDTH, Call, commented, imports, mapping
from xlm_spec.compiler.components import Component, Parameter, component
from xlm_spec.compiler.method import LIBRARIES, Line, Loop, Method, compose
from xlm_spec.compiler.spec import Choice, Spec

IR_VERSION = 1
MODULES = {  # package file -> the axes whose components it lists, and its docstring
    "noise": (("schedule", "time", "process"), "How clean text is corrupted in {name}"),
    "target": (("target",), "What the network of {name} is asked for"),
    "loss": (("loss",), "The terms of the loss of {name}"),
    "rules": (("sites", "tokens"), "How the samplers of {name} choose sites and draw tokens"),
}
MODULE_OF = {folder: m for m, (folders, _) in MODULES.items() for folder in folders}
TOY = 8  # ordinary tokens of the toy vocabulary


@dataclass(frozen=True)
class Plan:
    """Everything that the templates print. Field names are what the templates read."""

    ir_version: int
    name: str
    title: str
    paper: str
    source: str  # the spec's text
    exports: list[str]
    modules: list[dict]  # pure lists: {name, doc, imports, parts}
    samplers: list[dict]  # {name, module, doc, imports, parts, signature, lines}
    config: dict
    model: dict
    objective: dict
    init: dict
    experiment: dict
    method: dict  # the spec with its defaults, for readers
    inferred: dict  # what follows from it

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
        self.method, self.spec = method, method.spec
        self.needed: dict[str, set[str]] = {k: set() for k in LIBRARIES}

    def plan(self) -> Plan:
        spec, method = self.spec, self.method
        lists = [self.module(m) for m in MODULES if self.chosen(MODULES[m][0])]
        samplers = [self.sampler(loop) for loop in method.loops]
        model, objective, config = self.model(), self.objective(), self.config()
        self.needed["types"] |= {"Examples", "Vocab"}
        libraries = [self.library("ops")] if self.needed["ops"] else []
        modules = [self.library("types"), *libraries, *lists]
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
            config=config,
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
        )

    # ---- files that only list --------------------------------------------------------------------

    def chosen(self, folders: tuple[str, ...]) -> list[Component]:
        found = {c.component.path: c.component for c in self.method.choices}
        return [c for f in folders for c in found.values() if c.folder == f]

    def module(self, name: str) -> dict:
        folders, doc = MODULES[name]
        parts: list[str] = []
        chosen = self.chosen(folders)
        wanted: dict[str, set[str]] = {}
        for c in chosen:
            parts += self.take(c, self.roots(c), wanted)
        listed = ", ".join(f"{c.folder} {c.value}" for c in chosen)
        doc = docstring(doc.format(name=self.spec.name), f"{listed}.")
        return {"name": name, "doc": doc, "imports": imports(wanted), "parts": parts}

    def library(self, name: str) -> dict:
        c = component("", name)
        wanted: dict[str, set[str]] = {}
        parts = self.take(c, self.needed[name], wanted)
        return {
            "name": name,
            "doc": c.doc + "\n" * ("\n" in c.doc),
            "imports": imports(wanted),
            "parts": parts,
        }

    def roots(self, c: Component) -> set[str]:
        """What the glue calls of a component."""
        called = [line.call for line in self.method.objective]
        for t in self.method.terms:
            called += [t.target.call, t.call, *([t.weight.call] if t.weight else [])]
        names = {call.function for call in called} & set(c.functions)
        return names | ({"prior"} & set(c.functions)) | set(c.fields)

    def take(self, c: Component, roots: set[str], wanted: dict[str, set[str]]) -> list[str]:
        """The parts of a component reached from `roots`; adds their imports to `wanted`."""
        reached: set[str] = set()
        todo = set(roots)
        called = set(self.method.passes)
        while todo:
            reached |= todo
            found = [c.definitions[n] for n in reached if n in c.definitions]
            called |= {m for d in found for m in d.members}
            reads = {n for d in found for n in d.names} & set(c.definitions)
            apart = {n for n in c.definitions if "." in n and n.partition(".")[2] in called}
            todo = (reads | apart) - reached
        kept = [d for n, d in c.definitions.items() if n in reached]
        names = {n for d in kept for n in d.names}
        for module, given in c.imports.items():
            used = {n for n in given if n.split(" as ")[-1].split(".")[0] in names}
            library = module.lstrip(".")
            if module.startswith(".") and library in LIBRARIES:
                self.needed[library] |= used
            if used:
                wanted.setdefault(module, set()).update(used)
        folder = f"parts/{c.folder}/{c.value}" if c.folder else f"parts/{c.value}"
        return [f"{folder}/{d.name}.py" for d in kept]

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
        parts = self.take(c, set(c.functions) - {"__init__"}, wanted)
        prior = loop.start[0].call
        own = loop.state in c.types
        wanted.setdefault(".noise", set()).add(prior.function)
        wanted.setdefault(".types", set()).update({"Examples"} | (set() if own else {loop.state}))
        wanted.setdefault(".config", set()).add("Config")
        wanted.setdefault("collections.abc", set()).add("Iterator")
        wanted.setdefault("torch", set()).add("Generator")
        wanted.setdefault("", set()).add("torch")
        self.needed["types"] |= {"Examples"} | (set() if own else {loop.state})
        lines = [f"    {name} = {place}" for name, place in loop.objects.items()]
        for line in loop.start:
            lines += assign(line, 4)
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
        return {
            "name": loop.sampling.name,
            "module": loop.module,
            "doc": docstring(f"{which} of {self.spec.name}", f"{c.title[0].lower()}{c.title[1:]}."),
            "imports": imports(wanted),
            "parts": parts,
            "signature": signature,
            "lines": lines,
        }

    def model(self) -> dict:
        method = self.method
        backbone = self.spec.backbone.component
        wanted: dict[str, set[str]] = {}
        parts = self.take(backbone, {"Backbone"}, wanted)
        heads = [component("head", h) for h in method.heads]
        for head in heads:
            parts += self.take(head, set(head.fields) | set(head.methods), wanted)
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

    # ---- config ----------------------------------------------------------------------------------

    def config(self) -> dict:
        method = self.method
        sections: list[dict] = []
        wanted: dict[str, set[str]] = {"dataclasses": {"dataclass"}, ".types": {"Vocab"}}

        def numbers(c: Choice) -> list[str]:
            return [x for p in c.component.parameters for x in number(p, c.given)]

        def instance(key: str, c: Choice) -> list[str]:
            name = c.component.object
            wanted.setdefault(f".{MODULE_OF[c.component.folder]}", set()).add(name)
            given = [f"{p.name}={value(p, c.given)}" for p in c.component.parameters]
            return commented(f"    {key}: {name} = {Call(name, tuple(given))}", c.component.title)

        def section(name: str, doc: str, fields: list[str]) -> list[str]:
            """Adds a section if it has fields; the lines by which an outer one refers to it."""
            if not fields:
                return []
            key = name.partition("_")[2] or name
            kind = "".join(w.capitalize() for w in name.split("_"))
            sections.append({"name": kind, "key": key, "doc": doc, "lines": fields})
            return [f"    {key}: {kind} = {kind}()"]

        noise = instance("schedule", method.schedule) if method.schedule else []
        if method.time:
            noise += section("noise_time", "How times are drawn.", numbers(method.time))
        top = section("noise", "The noise process.", noise)
        loops = []
        for loop in method.loops:
            fields = numbers(loop.sampling.loop)
            for key, rule in loop.rules.items():
                fields += instance(key, rule)
            name = "sampler" if len(method.loops) == 1 else f"sampler_{loop.sampling.name}"
            found = section(name, f"Sampler {loop.loop.value}.", fields)
            if len(method.loops) == 1:
                top += found
            else:
                loops += found
        top += section("sampler", "The samplers.", loops)
        top += section(
            "backbone", f"The network, {self.spec.backbone.value}.", numbers(self.spec.backbone)
        )
        return {
            "imports": imports(wanted),
            "sections": sections,
            "lines": top,
            "small": self.small(),
        }

    def small(self) -> list[str]:
        """The arguments of a tiny Config."""
        ids = {k: TOY + i for i, k in enumerate(["pad", "bos", *self.method.needs])}
        vocab = Call("Vocab", tuple(f"{k}={v}" for k, v in {"size": TOY + len(ids), **ids}.items()))
        tiny = self.spec.backbone.component.constants["SMALL"]
        backbone = Call("Backbone", tuple(f"{k}={v!r}" for k, v in tiny.items()))
        return Call("cls", (f"vocab={vocab}", f"backbone={backbone}")).lines("return ", "", 8)

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


def docstring(subject: str, told: str) -> str:
    """The inside of a module's docstring: one line, or a summary and the rest below it."""
    line = f"{subject}: {told}"
    if len(line) + 6 <= WIDTH:
        return line
    return f"{subject}.\n\n{textwrap.fill(told[0].upper() + told[1:], WIDTH)}\n"


def negated(terms: list[str]) -> list[str]:
    """The lines that return minus the sum of the objective's terms."""
    call = "objective(model, x, config, rng)"
    if len(terms) == 1:
        return [f'    return -{call}["{terms[0]}"]']
    total = " + ".join(f'terms["{t}"]' for t in terms)
    return [f"    terms = {call}", f"    return -({total})"]


def assign(line: Line, indent: int) -> list[str]:
    return line.call.lines(f"{line.name} = ", f"  # {line.shape}" * bool(line.shape), indent)


def value(p: Parameter, given: dict) -> str:
    """A parameter's value as Python source."""
    v = given.get(p.name, p.default)
    return quoted(float(v) if p.type == "float" else v)


def quoted(v: object) -> str:
    return json.dumps(v, ensure_ascii=False) if isinstance(v, str) else repr(v)


def number(p: Parameter, given: dict) -> list[str]:
    told = f"{p.meaning}; in {p.range}" if p.range else p.meaning
    return commented(f"    {p.name}: {p.type} = {value(p, given)}", told)
