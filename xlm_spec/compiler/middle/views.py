"""What the model reads in training: the corrupted sequences, then the output of each roll-in."""

from dataclasses import dataclass, replace

from xlm_spec.compiler import axes
from xlm_spec.compiler.components import Component, Function
from xlm_spec.compiler.middle.call import Call
from xlm_spec.compiler.middle.likelihood import BOUND_TIME, DENSITY, READ
from xlm_spec.compiler.middle.local_names import numbered
from xlm_spec.compiler.middle.method import Line
from xlm_spec.compiler.middle.network import model_arguments, time_conditioned, training_pass
from xlm_spec.compiler.middle.spec import Choice
from xlm_spec.compiler.middle.wires import Scope, Wires

NOT_OF_NETWORK = ("model", "x", "rng")  # wires that the model does not get
SEGMENTS = {"segments": "x.segments"}  # a field of x that it does


@dataclass(frozen=True)
class View:
    """An input of the model in training: the line that makes it, its wires, its hidden states."""

    line: Line
    scope: Scope
    hidden: Line | None

    @property
    def lines(self) -> list[Line]:
        return [self.line, *([self.hidden] if self.hidden else [])]


class Views:
    """Composes the noise and the roll-ins of a spec: an input of the model from each.

    `noise`: schedules, time and count by key. `p_t` is the density of the times, if it is known;
    `bound_time` draws those of the bound, if they are others.
    """

    def __init__(self, wires: Wires, noise: dict[str, Choice]):
        self.wires, self.spec, self.noise = wires, wires.spec, noise
        schedules = [c.axis.wire for c in noise.values() if c.axis.folder == axes.SCHEDULE.folder]
        given = ("model", "x", "rng", "vocab", *schedules)
        self.base: Scope = {name: name for name in given}  # the wires that all views have
        self.bound_time = self.of_time("t", BOUND_TIME)
        self.drawn = self.draw()
        self.p_t = self.of_time("p_t", DENSITY)
        self.views: list[View] = []
        self.add(self.corrupted(), self.spec.process)
        for number, roll_in in enumerate(self.spec.roll_ins, 2):
            self.add(self.rolled_in(roll_in, numbered("z", number)), roll_in)

    @property
    def lines(self) -> tuple[Line, ...]:
        """Times, count, corrupted tokens, hidden states; and so on for each roll-in."""
        return (*self.drawn, *(line for view in self.views for line in view.lines))

    @property
    def scope(self) -> Scope:
        """The wires of the first view, that of the process: what weights read."""
        return self.views[0].scope

    def draw(self) -> list[Line]:
        """The random inputs of the process: the times, and the positions to corrupt."""
        found = []
        for key, name in (("time", "t"), ("count", "corrupted")):
            if choice := self.noise.get(key):
                f = drawn_by(choice.component)
                call = self.wires.call(choice, f, self.base, choice.axis.config)
                found.append(Line(name, call, f.shape))
                self.base[name] = name
        return found

    def corrupted(self) -> Line:
        process = self.spec.process.component
        corrupt, config = process.functions["corrupt"], axes.PROCESS.config
        return Line("z", self.wires.call(self.spec.process, corrupt, self.base, config))

    def rolled_in(self, roll_in: Choice, name: str) -> Line:
        """The call of a roll-in, which reads the view before."""
        f, config = roll_in.component.main, f"{axes.ROLL_IN.config}.{roll_in.value}"
        return Line(name, self.wires.call(roll_in, f, self.views[-1].scope, config))

    def add(self, line: Line, maker: Choice) -> None:
        """Adds the view that a line of the process, or of a roll-in, makes."""
        kind = "Noised" if maker.axis == axes.PROCESS else maker.component.main.returns
        scope = self.base | {name: f"{line.name}.{name}" for name in maker.component.types[kind]}
        hidden = self.hidden_states(scope, maker)
        named = {"hidden": hidden.name} if hidden else {}
        self.views.append(View(line, scope | named, hidden))

    def hidden_states(self, view: Scope, maker: Choice) -> Line | None:
        """The forward pass of a view; None if it lacks a wire, which is reported."""
        backbone = self.spec.backbone
        if time_conditioned(backbone.component) and "t" not in view:
            return None  # a rule reports it (X303)
        f = training_pass(backbone.component)
        scope = {k: v for k, v in view.items() if k not in NOT_OF_NETWORK} | SEGMENTS
        if READ not in scope and READ in f.defaults:
            f = replace(f, wires={w: kind for w, kind in f.wires.items() if w != READ})
        missing = [w for w in f.wires if not self.wires.provides(backbone, f, w, scope)]
        if missing and maker.axis == axes.ROLL_IN:
            listed = " and ".join(f"`{w}`" for w in missing)
            message = f"roll_in `{maker.value}` does not provide {listed}"
            message = f"{message}, which backbone `{backbone.value}` requires"
            hint = f"add {'it' if len(missing) == 1 else 'them'} to what the roll-in returns"
            self.wires.problem("X201", maker, message, hint)
            return None
        found = dict(zip(f.wires, self.wires.arguments(backbone, f, scope), strict=True))
        required, optional = model_arguments(f)
        arguments = [found[w] for w in required]
        arguments += [found["t"]] if "t" in {*f.wires} - {*required, *optional} else []
        arguments += [f"{w}={found[w]}" for w in optional]
        function = "model" if f.name == "forward" else f"model.{f.name}"
        name = numbered("hidden", len(self.views) + 1)
        return Line(name, Call(function, tuple(arguments)), "(B, L, D)")

    def of_time(self, name: str, function: str) -> Line | None:
        """`name = function(...)`, if the component of the times defines this function."""
        time = self.noise.get("time")
        f = time.component.functions.get(function) if time else None
        if time is None or f is None:
            return None
        return Line(name, self.wires.call(time, f, self.base, axes.TIME.config), f.shape)

    def of(self, target: Choice) -> int | None:
        """The first view that has all wires of a target."""
        f = target.component.main
        for number, view in enumerate(self.views):
            if all(self.wires.provides(target, f, w, view.scope) for w in f.wires):
                return number
        return None

    def report_split(self, target: Choice) -> bool:
        """Reports a target whose wires are there, but not in one view (X201)."""
        f = target.component.main
        every = {name: "" for view in self.views for name in view.scope}
        split = all(self.wires.provides(target, f, w, every) for w in f.wires)
        if split:
            fields = [sorted(k for k, v in x.scope.items() if "z" in v[:1]) for x in self.views]
            message = f"target `{target.value}` requires {', '.join(f'`{w}`' for w in f.wires)}"
            message = f"{message}, which are not in one input of the model"
            hint = "; ".join(", ".join(names) for names in fields)
            self.wires.problem("X201", target, message, f"the inputs have: {hint}")
        return split


def drawn_by(c: Component) -> Function:
    """The function that draws the times, or the positions to corrupt."""
    return c.functions.get("sample_time") or c.functions["select_tokens"]
