"""Spec -> Method: the pieces put together, each wire traced to what makes it.

Tensors match by name, targets by type, parameters belong to their component. What does not fit is
collected as problems; `check` reports them, `lower` relies on there being none.
"""

from dataclasses import dataclass, field

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import Axis, cards
from xlm_spec.compiler.code import Call
from xlm_spec.compiler.components import Component, Function, component
from xlm_spec.compiler.spec import Choice, Sampling, Spec
from xlm_spec.diagnostics import Diagnostic

ROOM = {"State": "eos"}  # states whose room is fixed: what is left of it is filled with EOS
LIBRARIES = ("types", "ops")


@dataclass(frozen=True)
class Line:
    """`name = call`, and the shape of what it makes."""

    name: str
    call: Call
    shape: str = ""


@dataclass(frozen=True)
class Term:
    """A loss on its target: `weight * call`, (B, L) nats."""

    loss: Choice
    target: Line
    call: Call
    weight: Line | None


@dataclass(frozen=True)
class Loop:
    """A sampler, as lines: schedule and rules, prior, [enter], for ... in times: step."""

    sampling: Sampling
    module: str
    rules: dict[str, Choice]
    objects: dict[str, str]  # local name -> where it lives in the config
    start: tuple[Line, ...]
    ticks: tuple[str, ...]  # names of the loop's variables
    times: Call
    step: Call
    finished: Call | None
    state: str  # type of what it yields

    @property
    def loop(self) -> Component:
        return self.sampling.loop.component


@dataclass
class Method:
    """What a spec amounts to."""

    spec: Spec
    schedule: Choice | None = None
    time: Choice | None = None
    objective: list[Line] = field(default_factory=list)
    terms: list[Term] = field(default_factory=list)
    loops: list[Loop] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)

    @property
    def optional(self) -> dict[str, Choice]:
        """The axes of the noise that not every method has."""
        return {c.axis.key: c for c in (self.schedule, self.time) if c}

    @property
    def choices(self) -> list[Choice]:
        """Everything chosen, samplers and their rules included."""
        s = self.spec
        noise = [*self.optional.values(), s.process]
        loops = [c for p in self.loops for c in (*p.rules.values(), p.sampling.loop)]
        return [*noise, *s.targets, *s.losses, *loops, s.backbone]

    @property
    def read_on_model(self) -> set[str]:
        """Heads and methods of the backbone that the chosen components use."""
        found = (d.attributes for c in self.choices for d in c.component.definitions.values())
        return {a for pairs in found for name, a in pairs if name == "model"}

    @property
    def backbone_methods(self) -> dict[str, Function]:
        return self.spec.backbone.component.methods["Backbone"]

    @property
    def heads(self) -> list[str]:
        return sorted(self.read_on_model - set(self.backbone_methods))

    @property
    def passes(self) -> list[str]:
        """Methods of the backbone that are called on the model, besides `forward`."""
        return [m for m in self.backbone_methods if m in self.read_on_model]

    @property
    def attention(self) -> str:
        found = (c.component.constants.get("ATTENTION") for c in self.spec.targets)
        return next((str(a) for a in found if a), "bidirectional")

    @property
    def fill(self) -> str:
        """What the rest of the room holds: a room that can't shrink is filled with EOS."""
        return ROOM.get(self.spec.process.component.functions["prior"].returns, "none")

    @property
    def needs(self) -> list[str]:
        """The special tokens that this method asks of a tokenizer, besides BOS and padding."""
        found = (d.attributes for c in self.choices for d in c.component.definitions.values())
        read = {a for pairs in found for name, a in pairs if name == "vocab"}
        read |= {"eos"} if self.fill == "eos" else set()
        return sorted(read & {"eos", "mask"})

    @property
    def bound(self) -> bool:
        """Is the objective, in expectation, an upper bound of -log p(x)?"""
        exact = self.schedule is None or all(
            self.schedule.given.get(k, v) == v
            for k, v in self.schedule.component.constants.get("BOUND", {}).items()
        )
        whole = not hidden_by(self.spec.process.component)
        terms = self.spec.losses
        return exact and all(
            c.component.constants.get("BOUND") is True and (whole or c.weight == "elbo")
            for c in terms
        )


def hidden_by(process: Component) -> set[str]:
    """What a process tells of x_0 beside what the network reads."""
    return set(process.types["Noised"]) - {"tokens", "valid"}


def compose(spec: Spec) -> Method:
    """Puts the pieces together."""
    return Composer(spec).method


class Composer:
    """Traces wires. `scope` maps the name of a wire to the expression that holds it."""

    def __init__(self, spec: Spec):
        self.spec = spec
        self.method = Method(spec)
        self.take_defaults()
        self.objective()
        for i, sampling in enumerate(spec.samplers):
            self.sampler(sampling, "sampler" if i == 0 else f"sampler_{sampling.name}")

    def problem(self, code: str, choice: Choice, message: str, hint: str = "") -> None:
        doc = self.spec.document
        self.method.problems.append(doc.diagnostic(code, message, choice.path, hint))

    # ---- defaults --------------------------------------------------------------------------------

    def rates(self) -> list[Function]:
        """The rate functions that `weight: elbo` calls."""
        functions = self.spec.process.component.functions
        names = [f"{t.value}_rate" for t in self.spec.targets]
        wanted = any(loss.weight == "elbo" for loss in self.spec.losses)
        return [functions[n] for n in names if wanted and n in functions]

    def take_defaults(self) -> None:
        spec = self.spec
        forward = spec.backbone.component.methods["Backbone"]["forward"]
        training = [spec.process.component.functions["corrupt"], forward, *self.rates()]
        sampling = [f for s in spec.samplers for f in s.loop.component.functions.values()]
        self.method.time = self.default(axes.TIME, spec.time, training)
        self.method.schedule = self.default(axes.SCHEDULE, spec.schedule, training + sampling)

    def default(self, axis: Axis, given: Choice | None, readers: list[Function]) -> Choice | None:
        """What the spec chose, or the default where somebody reads it."""
        read = any(axis.wire in f.wires for f in readers)
        if given and not read:
            self.problem("X204", given, f"nothing reads `{axis.path}`", "leave it out")
        if read and not given and axis.default:
            return Choice(axis, cards(axis)[axis.default], tuple(axis.path.split(".")))
        return given

    # ---- wires -----------------------------------------------------------------------------------

    def call(self, choice: Choice, f: Function, scope: dict[str, str], place: str = "") -> Call:
        """The call of a component's function; `place` is where its parameters live."""
        arguments = []
        for wire in f.wires:
            if wire not in scope:
                self.missing(choice, f, wire)
            arguments.append(scope.get(wire, wire))
        arguments += [f"{p.name}={place}.{p.name}" for p in f.parameters]
        return Call(f.name, tuple(arguments))

    def missing(self, choice: Choice, f: Function, wire: str) -> None:
        makers = [c.value for c in cards(axes.PROCESS).values() if wire in c.types["Noised"]]
        rule = next((a for a in axes.RULES if a.wire == wire), None)
        if rule:
            self.problem(
                "X203",
                choice,
                f"sampler `{choice.value}` needs `{rule.key}`: {rule.meaning}",
                f"add `{rule.key}:` one of {', '.join(cards(rule))}",
            )
            return
        hint = f"made by process {' or '.join(f'`{m}`' for m in makers)}" if makers else ""
        what = f"{choice.axis.folder} `{choice.value}` reads `{wire}`"
        self.problem("X201", choice, f"{what}, which nothing in this spec makes", hint)

    # ---- training --------------------------------------------------------------------------------

    def objective(self) -> None:
        spec, method, lines = self.spec, self.method, self.method.objective
        scope = {"model": "model", "x": "x", "rng": "rng", "vocab": "config.vocab"}
        if method.schedule:
            scope["schedule"] = "schedule"
        if method.time:
            f = method.time.component.functions["sample_time"]
            call = self.call(method.time, f, scope, "config.noise.time")
            lines.append(Line("t", call, f.shape))
            scope["t"] = "t"
        process = spec.process.component
        corrupt = self.call(spec.process, process.functions["corrupt"], scope)
        lines.append(Line("z", corrupt))
        scope |= {name: f"z.{name}" for name in process.types["Noised"]}
        forward = self.call(spec.backbone, method.backbone_methods["forward"], scope)
        lines.append(Line("hidden", Call("model", forward.arguments), "(B, L, D)"))
        scope["hidden"] = "hidden"
        self.asked_for(process)
        for i, loss in enumerate(spec.losses, 1):
            self.term(loss, scope, "" if len(spec.losses) == 1 else f"_{i}")
        used = {t.target.call.function for t in method.terms}
        for target in spec.targets:
            if target.value not in used and not method.problems:
                told = f"no loss is taken on target `{target.value}`"
                self.problem("X206", target, told, "leave it out, or add a loss that reads it")

    def asked_for(self, process: Component) -> None:
        """What the process hides, some target must ask for."""
        hidden = hidden_by(process)
        read = {w for t in self.spec.targets for w in t.component.main.wires}
        if hidden and not hidden & read:
            fits = [v for v, c in cards(axes.TARGET).items() if hidden & set(c.main.wires)]
            told = f"no target asks for what process `{process.value}` hides"
            self.problem("X302", self.spec.targets[0], told, f"one that does: {', '.join(fits)}")

    def term(self, loss: Choice, scope: dict[str, str], suffix: str) -> None:
        f = loss.component.main
        kind = f.wires["target"]
        target = next((t for t in self.spec.targets if t.component.main.returns == kind), None)
        if target is None:
            makers = [v for v, c in cards(axes.TARGET).items() if c.main.returns == kind]
            told = f"loss `{loss.value}` is taken on {kind}, which no target here makes"
            self.problem("X202", loss, told, f"made by target {', '.join(makers)}")
            return
        asked = Line(f"target{suffix}", self.call(target, target.component.main, scope))
        call = self.call(loss, f, scope | {"target": asked.name}, f"config.loss.{loss.value}")
        rate = self.rate(loss, target, scope, f"weight{suffix}") if loss.weight == "elbo" else None
        self.method.terms.append(Term(loss, asked, call, rate))

    def rate(self, loss: Choice, target: Choice, scope: dict[str, str], name: str) -> Line | None:
        process = self.spec.process
        f = process.component.functions.get(f"{target.value}_rate")
        if f is None:
            told = f"`weight: elbo` needs a known rate: process `{process.value}` states none"
            self.problem("X301", loss, f"{told} for `{target.value}`", "write `weight: one`")
            return None
        return Line(name, self.call(process, f, scope), f.shape)

    # ---- sampling --------------------------------------------------------------------------------

    def sampler(self, sampling: Sampling, module: str) -> None:
        loop, process = sampling.loop, self.spec.process
        functions = loop.component.functions
        place = (
            "config.sampler" if len(self.spec.samplers) == 1 else f"config.sampler.{sampling.name}"
        )
        if not self.continues(loop, process):
            return
        reads = {w for f in functions.values() for w in f.wires}
        rules = self.rules(sampling, reads)
        names = {a.wire: f"{place}.{a.key}" for a in axes.RULES if a.key in rules}
        if self.method.schedule and "schedule" in reads:
            names = {"schedule": "config.noise.schedule"} | names
        scope = {"model": "model", "x": "start", "rng": "rng", "vocab": "config.vocab"}
        scope |= {n: n for n in names}
        start = [Line("state", self.call(process, process.component.functions["prior"], scope))]
        scope["state"] = "state"
        if "enter" in functions:
            start.append(Line("state", self.call(loop, functions["enter"], scope)))
        times, step = functions["times"], functions["step"]
        tick = times.returns.removeprefix("Iterator[").removesuffix("]")
        fields = component("", "types").types.get(tick, {})
        done = functions.get("finished")
        self.method.loops.append(
            Loop(
                sampling=sampling,
                module=module,
                rules=rules,
                objects=names,
                start=tuple(start),
                ticks=tuple(n if n in step.wires else "_" for n in fields) or ("_",),
                times=self.call(loop, times, scope, place),
                step=self.call(loop, step, scope | {n: n for n in fields}, place),
                finished=self.call(loop, done, scope, place) if done else None,
                state=step.returns,
            )
        )

    def continues(self, loop: Choice, process: Choice) -> bool:
        """Does the sampler go on from what the process starts with?"""
        wants, gets = starts_from(loop.component), process.component.functions["prior"].returns
        if wants == gets:
            return True
        fits = [v for v, c in cards(axes.SAMPLER).items() if starts_from(c) == gets]
        told = f"sampler `{loop.value}` goes on from a {wants}, process `{process.value}` starts"
        self.problem("X205", loop, f"{told} with a {gets}", f"samplers that fit: {', '.join(fits)}")
        return False

    def rules(self, sampling: Sampling, reads: set[str]) -> dict[str, Choice]:
        """The rules a sampler reads, given or by default."""
        out = {}
        for axis in axes.RULES:
            given = sampling.rules.get(axis.key)
            if given and axis.wire not in reads:
                told = f"sampler `{sampling.loop.value}` reads no `{axis.key}`"
                self.problem("X204", given, told, "leave it out")
            elif given:
                out[axis.key] = given
            elif axis.wire in reads and axis.default:
                path = (*sampling.loop.path, axis.key)
                out[axis.key] = Choice(axis, cards(axis)[axis.default], path)
        return out


def starts_from(loop: Component) -> str:
    """The type of state that a sampler goes on from."""
    f = loop.functions.get("enter") or loop.functions["step"]
    return f.wires["state"]
