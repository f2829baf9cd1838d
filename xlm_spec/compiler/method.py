"""What a spec amounts to: the lines of its objective and samplers, and what follows from them."""

from dataclasses import dataclass, field

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import cards
from xlm_spec.compiler.code import Call
from xlm_spec.compiler.components import Component, Function, Parameter, values
from xlm_spec.compiler.spec import Choice, Sampling, Spec
from xlm_spec.diagnostics import Diagnostic

ROOM = {"State": "eos"}  # states whose room is fixed: what is left of it is filled with EOS


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
    asked: Choice  # the target
    target: Line  # what it makes
    call: Call
    weight: tuple[Line, ...] = ()  # the last is the weight; none: every nat counts the same


@dataclass(frozen=True)
class Outer:
    """A loop around a sampler's own."""

    choice: Choice
    windows: Call
    ticks: str  # the loop's variables
    narrow: Line
    widen: Call


@dataclass(frozen=True)
class Loop:
    """A sampler, as lines: schedule and rules, prior, [enter], for ... in times: step."""

    sampling: Sampling
    module: str
    rules: dict[str, Choice]
    objects: dict[str, str]  # local name -> where it lives in the config
    prior: Line
    enter: Line | None
    outer: Outer | None
    ticks: str  # the loop's variables
    times: Call
    step: Call
    finished: Call | None
    state: str  # type of what it yields
    place: str  # of its numbers, by dotted name

    @property
    def loop(self) -> Component:
        return self.sampling.loop.component

    @property
    def exact_at(self) -> dict[str, float] | None:
        """By dotted name, the numbers with which samples follow the network's own law.

        None where a piece states none.
        """
        found: dict[str, float] = {}
        places = {f".{k}": c for k, c in self.rules.items()} | {"": self.sampling.loop}
        for place, choice in (
            places | ({".outer": self.outer.choice} if self.outer else {})
        ).items():
            stated = choice.component.constants.get("EXACT")
            if not stated:
                return None
            numbers = stated if isinstance(stated, dict) else {}
            found |= {f"{self.place}{place}.{name}": n for name, n in numbers.items()}
        return found

    @property
    def choices(self) -> list[Choice]:
        """Rules, loop around it, the loop itself."""
        outer = [self.outer.choice] if self.outer else []
        return [*self.rules.values(), *outer, self.sampling.loop]


@dataclass
class Method:
    """The pieces put together; `bound` holds terms where the bound is not the objective."""

    spec: Spec
    schedule: Choice | None = None
    time: Choice | None = None
    count: Choice | None = None
    objective: list[Line] = field(default_factory=list)
    terms: list[Term] = field(default_factory=list)
    bound: list[Term] = field(default_factory=list)
    loops: list[Loop] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)

    @property
    def optional(self) -> dict[str, Choice]:
        """The axes of the noise that not every method has."""
        return {c.axis.key: c for c in (self.schedule, self.time, self.count) if c}

    @property
    def choices(self) -> list[Choice]:
        """Everything chosen, samplers and their rules included."""
        s = self.spec
        noise = [*self.optional.values(), s.process]
        losses = [c for loss in s.losses for c in (loss, loss.weight) if c]
        loops = [c for p in self.loops for c in p.choices]
        return [*noise, *s.targets, *losses, *loops, s.backbone]

    @property
    def listed(self) -> list[Component]:
        """What a package lists: all that was chosen, and the losses that only the bound takes."""
        found = {c.component.path: c.component for c in self.choices}
        return [*(found | {t.loss.component.path: t.loss.component for t in self.bound}).values()]

    @property
    def read_on_model(self) -> set[str]:
        """Heads and methods of the backbone that the chosen components use."""
        return {a for c in self.choices for a in read_on_model(c.component)}

    @property
    def backbone_methods(self) -> dict[str, Function]:
        return self.spec.backbone.component.methods["Backbone"]

    @property
    def heads(self) -> list[str]:
        return sorted(self.read_on_model & set(values("head")))

    @property
    def passes(self) -> list[str]:
        """Methods of the backbone that are called on the model, besides `forward`."""
        read = self.read_on_model
        return [m for m in self.backbone_methods if m in read]

    @property
    def time_conditioned(self) -> bool:
        return time_conditioned(self.spec.backbone.component)

    @property
    def made(self) -> set[str]:
        """The wires that training makes for its targets."""
        drawn = {c.axis.wire for c in self.optional.values()}
        return {"x", "model", "rng", "vocab", *drawn, *self.spec.process.component.types["Noised"]}

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
    def likelihood(self) -> str:
        """What the method tells of log p(x): `exact`, `objective`, `own` (a bound), or `none`."""
        losses, process = self.spec.losses, self.spec.process.component
        bounds = [c.component.constants.get("BOUND") for c in losses]
        if not all(bounds):
            return "none"
        if not hidden_by(process):
            return "exact" if all(weighs_nothing(c.weight) for c in losses) else "none"
        weights = [likelihood_weight(process, t.value) for t in self.spec.targets]
        known = self.count.component.functions if self.count else {}
        rated = all(w and w.constants["COUNT"] in known for w in weights)
        if not self.ends_in_noise or not rated:
            return "none"
        plain = all(c.weight and c.weight.component.constants.get("BOUND") for c in losses)
        return "objective" if plain and all(b is True for b in bounds) else "own"

    @property
    def bound_at(self) -> dict[str, float]:
        """The numbers with which a bound holds, by dotted name.

        Of a schedule: those with which the noise at t = 1 is the prior. Of a count: where a target
        asks whether anything is missing, texts that lack nothing are seen.
        """
        stated = self.schedule.component.constants.get("BOUND", {}) if self.schedule else {}
        at = {f"{axes.SCHEDULE.path}.{k}": v for k, v in stated.items()}
        if self.asking_for_an_end and any(p.name == "least" for p in self.count_numbers):
            at[f"{axes.COUNT.path}.least"] = 0
        return at

    @property
    def asking_for_an_end(self) -> list[Choice]:
        """The targets that ask whether anything is missing."""
        return [t for t in self.spec.targets if t.component.main.returns == "Complete"]

    @property
    def count_numbers(self) -> tuple[Parameter, ...]:
        return self.count.component.parameters if self.count else ()

    @property
    def ends_in_noise(self) -> bool:
        """Has the spec those numbers?"""
        given = self.schedule.given if self.schedule else {}
        return all(given.get(k.rpartition(".")[2], v) == v for k, v in self.bound_at.items())


def read_on_model(c: Component) -> set[str]:
    """The attributes that a component reads on `model`."""
    return {a for d in c.definitions.values() for name, a in d.attributes if name == "model"}


def time_conditioned(backbone: Component) -> bool:
    return "t" in backbone.methods["Backbone"]["forward"].wires


def untimed_backbones() -> str:
    """The backbones that are told no time, as a hint names them."""
    return ", ".join(v for v, c in cards(axes.BACKBONE).items() if not time_conditioned(c))


def hidden_by(process: Component) -> set[str]:
    """What a process tells of x_0 beside what the network reads."""
    return set(process.types["Noised"]) - {"tokens", "valid"}


def fits_target(weight: Component, process: Component, target: str) -> bool:
    """Does the process say that this function of the count weighs the target in its bound?"""
    stated: dict[str, str] = process.constants.get("BOUND", {})
    return bool(stated.get(target) == weight.constants["COUNT"])


def likelihood_weight(process: Component, target: str) -> Component | None:
    """The weight that makes the nats of a target a term of the bound."""
    bounds = (c for c in cards(axes.WEIGHT).values() if c.constants.get("BOUND"))
    return next((c for c in bounds if fits_target(c, process, target)), None)


def weighs_nothing(weight: Choice | None) -> bool:
    """Does every nat count the same?"""
    return weight is None or not (weight.component.functions or weight.component.constants)
