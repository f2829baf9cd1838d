"""A method: the choices of a spec with defaults, and the lines of its objective and samplers.

Frozen data. `network`, `special_tokens` and `likelihood` derive further facts from it.
"""

from dataclasses import dataclass

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import Axis
from xlm_spec.compiler.components import Component
from xlm_spec.compiler.middle.call import Call
from xlm_spec.compiler.middle.spec import Choice, Sampling, Spec
from xlm_spec.diagnostics import Diagnostic


@dataclass(frozen=True)
class Line:
    """An assignment `name = call`, and the shape of the result."""

    name: str
    call: Call
    shape: str = ""


@dataclass(frozen=True)
class Term:
    """A loss on its target: `weight * call`, in nats, (B, L).

    `factor` is the weight as an expression, if it is a number of the config.
    """

    loss: Choice
    asked: Choice  # the target
    target: Line  # the call of the target
    call: Call  # of the loss
    weight: tuple[Line, ...] = ()  # the last line is the weight; () is weight 1
    factor: str = ""
    density: Line | None = None  # of the times, by which a bound divides
    view: int = 0  # the number of roll-ins before its view

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines before its own."""
        return (self.target, *self.weight, *([self.density] if self.density else []))


@dataclass(frozen=True)
class Around:
    """A loop around the loop of a sampler, or around another one of these."""

    choice: Choice
    examples: Line | None  # what it reads, if another loop around it fixes some positions
    windows: Call
    fields: tuple[str, ...]  # what `windows` yields
    ticks: str  # the loop variables
    narrow: Line


@dataclass(frozen=True)
class Loop:
    """The code of a sampler: objects, prior, [init_state], for ... in time_grid: step.

    Wraps of the model come before the prior, loops around the sampler after it, correctors after
    the step.

    Samplers of one kind have the same lines; with several samplers, each gets its `settings`.
    """

    sampling: Sampling
    rules: dict[str, Choice]
    objects: dict[str, str]  # local name -> path in the config
    models: tuple[Line, ...]  # the innermost first
    prior: Line
    init_state: Line | None
    around: tuple[Around, ...]  # the outermost first
    fields: tuple[str, ...]  # what `time_grid` yields
    ticks: str  # the loop variables
    time_grid: Call
    step: Call
    corrections: tuple[Line, ...]
    shown: Call | None  # the state without the restrictions of the loops around it
    finished: Call | None
    state: str  # type of the states that it yields
    several: bool  # samplers in this method

    @property
    def loop(self) -> Component:
        return self.sampling.loop.component

    @property
    def path(self) -> str:
        """The dotted name of its section in the config."""
        return f"sampler.{self.sampling.name}" if self.several else "sampler"

    @property
    def module(self) -> str:
        """The file that holds it: one for each kind of sampler."""
        return f"sampler_{self.loop.value}" if self.several else "sampler"

    @property
    def apart(self) -> bool:
        """Has each wrap and each corrector a file of its own, since several share functions?"""
        return self.several or len(self.sampling.loops) > 1

    @property
    def lists(self) -> dict[Axis, tuple[Choice, ...]]:
        """The wraps and the correctors, by axis."""
        return {axes.WRAP: self.sampling.wraps, axes.CORRECTOR: self.sampling.correctors}

    @property
    def listed(self) -> list[Choice]:
        """The wraps and the correctors."""
        return [c for chosen in self.lists.values() for c in chosen]

    @property
    def in_file(self) -> list[Choice]:
        """The components in its file of the package."""
        wraps, correctors = self.lists.values()
        return [self.sampling.loop] if self.apart else [*wraps, self.sampling.loop, *correctors]

    @property
    def function(self) -> str:
        """The function that runs it: a kind may be used with wraps and correctors, and without."""
        named = [*self.sampling.wraps] if self.several else []
        corrected = [*self.sampling.correctors] if self.several else []
        parts = [*(f"_in_{c.value}" for c in named), *(f"_with_{c.value}" for c in corrected)]
        return f"sample{''.join(parts)}"

    @property
    def settings(self) -> str:
        """Of several samplers: the class of its numbers in config.py; "" where it has none."""
        listed = any(c.component.parameters for c in self.listed)
        if not self.several or not (self.loop.parameters or self.rules or listed):
            return ""
        parts = [self.held(axis) for axis in self.lists]
        return f"Sampler{camel(self.loop.value)}{''.join(parts)}"

    def held(self, axis: Axis) -> str:
        """Of several samplers: the class of the numbers of its wraps, or of its correctors."""
        word = "In" if axis is axes.WRAP else "With"
        return "".join(f"{word}{camel(c.value)}" for c in self.lists[axis])

    @property
    def choices(self) -> list[Choice]:
        """Its rules, its wraps and correctors, the sampler itself."""
        return [*self.rules.values(), *self.listed, self.sampling.loop]


def module_of(choice: Choice) -> str:
    """The file of its own that a wrap or a corrector can have in a package."""
    return f"{choice.axis.folder}_{choice.value}"


@dataclass(frozen=True)
class Head:
    """A head of the model: its name, the component that defines its class, and how it is built."""

    name: str
    component: Component
    call: Call


def of_kinds(loops: tuple[Loop, ...]) -> list[list[Loop]]:
    """Samplers of one kind, with the same wraps and correctors, belong together."""
    found: dict[tuple[str, ...], list[Loop]] = {}
    for loop in loops:
        key = (loop.module, *(f"{c.axis.key} {c.value}" for c in loop.listed))
        found.setdefault(key, []).append(loop)
    return list(found.values())


def camel(name: str) -> str:
    """`fixed_budget` as the name of a class; no two names give the same."""
    return "".join(f"_{w}" if w[0].isdigit() else w.capitalize() for w in name.split("_"))


@dataclass(frozen=True)
class Method:
    """The composed components of a spec.

    `bound`: the terms of log_likelihood_bound, if they differ from the terms of the objective;
    `bound_time` draws its times, if they are not those of the objective.
    `problems`: the errors; if there are any, lines may be missing.
    """

    spec: Spec
    schedule: Choice | None
    clocks: tuple[Choice, ...]  # further schedules
    time: Choice | None
    count: Choice | None
    objective: tuple[Line, ...]
    terms: tuple[Term, ...]
    bound: tuple[Term, ...]
    loops: tuple[Loop, ...]
    built: tuple[str, ...]  # the positional arguments of Backbone.__init__
    problems: tuple[Diagnostic, ...]
    heads: tuple[Head, ...] = ()
    bound_time: Line | None = None

    @property
    def optional(self) -> dict[str, Choice]:
        """The choices for the optional axes of the noise."""
        return {c.axis.key: c for c in (*self.schedules, self.time, self.count) if c}

    @property
    def schedules(self) -> tuple[Choice, ...]:
        """The schedule and the further ones."""
        return (*([self.schedule] if self.schedule else []), *self.clocks)

    @property
    def choices(self) -> list[Choice]:
        """All choices, with samplers and their rules."""
        s = self.spec
        noise = [*self.optional.values(), s.process, *s.roll_ins]
        losses = [c for loss in s.losses for c in (loss, loss.weight) if c]
        loops = [c for p in self.loops for c in p.choices]
        return [*noise, *s.targets, *losses, *loops, s.backbone, *s.heads]

    @property
    def listed(self) -> list[Component]:
        """The components in the package: all chosen ones, and the losses of the bound."""
        found = {c.component.path: c.component for c in self.choices}
        return [*(found | {t.loss.component.path: t.loss.component for t in self.bound}).values()]
