"""The objective of a method: time, count, process, network, then each loss on its target."""

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import cards
from xlm_spec.compiler.code import Call
from xlm_spec.compiler.components import Component, Function, component
from xlm_spec.compiler.method import Line, Term, fits_target, likelihood_weight
from xlm_spec.compiler.spec import Choice
from xlm_spec.compiler.wires import Scope, Wires


class Training:
    """Puts the noise, the targets and the losses of a spec together."""

    def __init__(self, wires: Wires):
        self.wires, self.spec, self.method = wires, wires.spec, wires.method
        self.made: dict[str, Line] = {}  # targets and weights, by what makes them
        self.take_defaults()
        self.scope: Scope = {"model": "model", "x": "x", "rng": "rng", "vocab": "vocab"}
        self.noise()
        self.network()
        self.method.terms = [self.term(i, loss, loss.weight) for i, loss in self.fitting()]
        self.every_target_is_used()
        if not self.method.problems and self.method.likelihood == "own":
            self.made.clear()  # the bound has a body, and names, of its own
            self.method.bound = [self.bounding(i, loss) for i, loss in self.fitting()]

    # ---- defaults --------------------------------------------------------------------------------

    def take_defaults(self) -> None:
        spec, method = self.spec, self.method
        corrupt = spec.process.component.functions["corrupt"]
        method.count = self.wires.default(axes.COUNT, spec.count, [corrupt])
        noise = [corrupt, *(method.count.component.functions.values() if method.count else [])]
        loops = [f for s in spec.samplers for f in s.loop.component.functions.values()]
        method.schedule = self.wires.default(axes.SCHEDULE, spec.schedule, noise + loops)
        method.time = self.wires.default(axes.TIME, spec.time, noise)

    # ---- the lines -------------------------------------------------------------------------------

    def noise(self) -> None:
        method, scope, process = self.method, self.scope, self.spec.process.component
        if method.schedule:
            scope["schedule"] = "schedule"
        for choice, name in ((method.time, "t"), (method.count, "chosen")):
            if choice:
                f = drawn_by(choice.component)
                call = self.wires.call(choice, f, scope, f"config.{choice.axis.path}")
                method.objective.append(Line(name, call, f.shape))
                scope[name] = name
        place = f"config.{axes.PROCESS.path}"
        corrupt = self.wires.call(self.spec.process, process.functions["corrupt"], scope, place)
        method.objective.append(Line("z", corrupt))
        scope |= {name: f"z.{name}" for name in process.types["Noised"]}

    def network(self) -> None:
        if self.method.time_conditioned and "t" not in self.scope:
            return  # a rule tells (X303)
        forward = self.method.backbone_methods["forward"]
        call = self.wires.call(self.spec.backbone, forward, self.scope)
        line = Line("hidden", call.named("model"), "(B, L, D)")
        self.method.objective.append(line)
        self.scope["hidden"] = "hidden"

    def lacks(self, target: Choice) -> bool:
        """Does a target read what nothing here makes?"""
        return not set(target.component.main.wires) <= set(self.scope)

    def every_target_is_used(self) -> None:
        used = {t.target.call.function for t in self.method.terms}
        for target in self.spec.targets:
            if target.value not in used and not self.method.problems:
                told = f"no loss is taken on target `{target.value}`"
                hint = "leave it out, or add a loss that reads it"
                self.wires.problem("X206", target, told, hint)

    # ---- terms -----------------------------------------------------------------------------------

    def fitting(self) -> list[tuple[int, Choice]]:
        """The losses that have a target, each with its number."""
        return [(i, c) for i, c in enumerate(self.spec.losses, 1) if self.target_of(c)]

    def target_of(self, loss: Choice) -> Choice | None:
        """The target of the kind that a loss is taken on."""
        kind = loss.component.main.wires["target"]
        found = next((t for t in self.spec.targets if t.component.main.returns == kind), None)
        if found is None:
            makers = [v for v, c in cards(axes.TARGET).items() if c.main.returns == kind]
            told = f"loss `{loss.value}` is taken on {kind}, which no target here makes"
            self.wires.problem("X202", loss, told, f"made by target {', '.join(makers)}")
        return found

    def term(self, number: int, loss: Choice, weight: Choice | None) -> Term:
        suffix = "" if number == 1 else f"_{number}"
        target = self.target_of(loss)
        assert target is not None
        place = f"config.target.{target.value}"
        asked = self.wires.call(target, target.component.main, self.scope, place)
        line = self.once(f"target{suffix}", asked)
        place = f"config.loss.{loss.value}"
        scope = self.scope | {"target": line.name, "hidden": "hidden"}
        call = self.wires.call(loss, loss.component.main, scope, place)
        weights = self.weights(loss, target, weight, suffix) if weight else ()
        return Term(loss, target, line, call, weights)

    def weights(
        self, loss: Choice, target: Choice, weight: Choice, suffix: str
    ) -> tuple[Line, ...]:
        """The lines that make the weight of a term."""
        functions = weight.component.functions
        if "COUNT" not in weight.component.constants or self.lacks(target):
            return ()
        rate = self.rate(loss, target, weight, ("rate" if functions else "weight") + suffix)
        if rate is None or not functions:
            return (rate,) if rate else ()
        scope = self.scope | {"rate": rate.name}
        f = weight.component.main
        call = self.wires.call(weight, f, scope, f"config.loss.{loss.value}.weight")
        return rate, self.once(f"weight{suffix}", call, f.shape)

    def once(self, name: str, call: Call, shape: str = "") -> Line:
        """A line; of two terms that want the same the second has the first one's."""
        return self.made.setdefault(str(call), Line(name, call, shape))

    def bounding(self, number: int, loss: Choice) -> Term:
        """The likelihood term of a loss, with the weight that its target has in the bound."""
        target = self.target_of(loss)
        assert target is not None
        bound = loss.component.constants["BOUND"]
        named = component("loss", bound) if isinstance(bound, str) else loss.component
        weight = likelihood_weight(self.spec.process.component, target.value)
        assert weight is not None
        return self.term(
            number, Choice(axes.LOSS, named, loss.path), Choice(axes.WEIGHT, weight, ())
        )

    def rate(self, loss: Choice, target: Choice, weight: Choice, name: str) -> Line | None:
        """What the count knows of what a target asks for: how often it comes, or comes back."""
        process, count = self.spec.process, self.method.count
        if count is None or not fits_target(weight.component, process.component, target.value):
            told = f"`weight: {weight.value}` needs a known rate"
            told = f"{told}: process `{process.value}` states none for `{target.value}`"
            other = likelihood_weight(process.component, target.value)
            hint = " or ".join(f"`weight: {w}`" for w in ["one", *([other.value] if other else [])])
            self.wires.problem("X301", weight, told, f"write {hint}")
            return None
        f = count.component.functions.get(weight.component.constants["COUNT"])
        if f is None:
            told = f"`weight: {weight.value}` needs a known rate"
            told = f"{told}: count `{count.value}` has no `{weight.component.constants['COUNT']}`"
            self.wires.problem("X301", loss, told, "write `weight: one`")
            return None
        call = self.wires.call(count, f, self.scope, "config.noise.count")
        return self.once(name, call, f.shape)


def drawn_by(c: Component) -> Function:
    """What draws the times, or the sites."""
    return c.functions.get("sample_time") or c.functions["choose"]
