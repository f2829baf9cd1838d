"""The terms of the objective, and of its bound: each loss on its target, with its weight."""

from dataclasses import replace

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import components_of
from xlm_spec.compiler.components import component
from xlm_spec.compiler.declarations import AUXILIARY, ELBO_ALONE, ELBO_WEIGHTS
from xlm_spec.compiler.middle.call import Call
from xlm_spec.compiler.middle.likelihood import (
    ONE,
    divides,
    elbo_term,
    fits_target,
    has_rate,
    rate_function,
    rate_name,
    transforms,
)
from xlm_spec.compiler.middle.local_names import numbered
from xlm_spec.compiler.middle.method import Line, Term
from xlm_spec.compiler.middle.spec import Choice
from xlm_spec.compiler.middle.undefined_weight import undefined
from xlm_spec.compiler.middle.views import Views, drawn_by
from xlm_spec.compiler.middle.wires import Wires
from xlm_spec.diagnostics import nearest


class Terms:
    """Composes the targets and the losses of a spec. Call `terms`, then `bound` if needed."""

    def __init__(self, wires: Wires, noise: dict[str, Choice], views: Views):
        self.wires, self.spec, self.noise, self.views = wires, wires.spec, noise, views
        self.line_of: dict[str, Line] = {}  # targets and weights by their call

    def terms(self) -> tuple[Term, ...]:
        """The terms of the objective."""
        found = tuple(self.term(i, loss) for i, loss in self.losses_with_target())
        if divides(self.noise.get("time")):
            found = tuple(replace(term, density=self.views.p_t) for term in found)
        self.report_unused_targets(found)
        self.report_unused_roll_ins(found)
        weights = [loss.weight for loss in self.spec.losses if loss.weight]
        noise = [self.spec.process, *self.noise.values(), *self.spec.roll_ins]
        for choice in (*noise, *self.spec.targets, *self.spec.losses, *weights):
            self.wires.has_on_model(choice)
            self.wires.has_on_schedule(choice, self.noise.get("schedule"))
        return found

    def bound(self) -> tuple[Term, ...]:
        """The terms of log p(x), or of its bound, that differ from the objective's; each once.

        Their function has its own names.
        """
        self.line_of.clear()
        found: dict[str, Term] = {}
        for loss in self.spec.losses:
            if not AUXILIARY.of(loss.component) and self.target_of(loss):
                term = replace(self.bound_term(len(found) + 1, loss), density=self.views.p_t)
                found.setdefault(f"{term.call}", term)
        return tuple(found.values())

    def report_unused_roll_ins(self, terms: tuple[Term, ...]) -> None:
        """Reports roll-ins after the last input that a target reads (X204)."""
        last = max((t.view for t in terms), default=0)
        for roll_in in self.spec.roll_ins[last:]:
            if not self.wires.problems:
                message = f"no target reads what roll_in `{roll_in.value}` provides"
                fields = roll_in.component.types[roll_in.component.main.returns]
                own = ", ".join(n for n in fields if n not in ("tokens", "valid"))
                hint = "remove it, or add a target that reads it" + (f": {own}" if own else "")
                self.wires.problem("X204", roll_in, message, hint)

    def report_unused_targets(self, terms: tuple[Term, ...]) -> None:
        used = {t.target.call.function for t in terms}
        for target in self.spec.targets:
            if target.value not in used and not self.wires.problems:
                message = f"no loss uses target `{target.value}`"
                hint = "remove the target, or add a loss for it"
                self.wires.problem("X206", target, message, hint)

    def losses_with_target(self) -> list[tuple[int, Choice]]:
        """The losses that have a target, numbered."""
        return [(i, c) for i, c in enumerate(self.spec.losses, 1) if self.target_of(c)]

    def target_of(self, loss: Choice) -> Choice | None:
        """The target of a loss: the one that it names, or the only one whose type it requires.

        None if there is none, which is reported.
        """
        kind = loss.component.main.wires["target"]
        fitting = [t for t in self.spec.targets if t.component.main.returns == kind]
        if loss.of:
            return self.named_target(loss, fitting)
        if len(fitting) > 1:
            names = " and ".join(f"`{t.value}`" for t in fitting)
            message = f"loss `{loss.value}` fits several targets: {names}"
            hint = f"write `of: {fitting[0].value}` in the loss; list it again for another target"
            self.wires.problem("X210", loss, message, hint)
        elif not fitting:
            known = components_of(axes.TARGET).items()
            makers = [f"`{v}`" for v, c in known if c.main.returns == kind]
            message = (
                f"loss `{loss.value}` requires `{kind}`, which no target of this spec provides"
            )
            hint = f"add target {' or '.join(makers) or f'of type `{kind}`'}"
            there = (f"`{t.value}` is a `{t.component.main.returns}`" for t in self.spec.targets)
            hint = f"{hint}; in this spec, {', '.join(there)}"
            self.wires.problem("X202", loss, message, hint)
        return fitting[0] if len(fitting) == 1 else None

    def named_target(self, loss: Choice, fitting: list[Choice]) -> Choice | None:
        """The target that a loss names with `of`; None if it has another type: X211."""
        found = next((t for t in fitting if t.value == loss.of), None)
        if found is None:
            self.report_named_target(loss, [t.value for t in fitting])
        return found

    def report_named_target(self, loss: Choice, fitting: list[str]) -> None:
        """Reports that a loss names no target of the spec, or one of another type (X211)."""
        kind = loss.component.main.wires["target"]
        message = f"`of: {loss.of}` names no target of this spec"
        hint = f"targets of loss `{loss.value}`: {', '.join(fitting) or 'none'}"
        other = next((t for t in self.spec.targets if t.value == loss.of), None)
        shipped = components_of(axes.TARGET).get(loss.of)
        if other:
            message = f"target `{loss.of}` is a `{other.component.main.returns}`, but loss"
            message = f"{message} `{loss.value}` requires `{kind}`"
        elif shipped and shipped.main.returns == kind:
            hint = f"add target `{loss.of}`; {hint}"
        elif not shipped and (meant := nearest(loss.of, fitting)):
            hint = f"did you mean `{meant}`? {hint}"
        self.wires.problem("X211", replace(loss, path=(*loss.path, axes.OF)), message, hint)

    def term(self, number: int, loss: Choice) -> Term:
        target = self.target_of(loss)
        assert target is not None
        config = f"{axes.TARGET.config}.{target.value}"
        number_of_view = self.views.of(target)
        view = self.views.views[number_of_view or 0]
        if number_of_view is None and self.views.report_split(target):
            return Term(loss, target, Line("target", Call("")), Call(""))
        asked = self.wires.call(target, target.component.main, view.scope, config)
        line = self.once(numbered("target", number), asked)
        config = f"{axes.LOSS.config}.{loss.name}"
        scope = {"hidden": "hidden"} | view.scope | {"target": line.name}
        call = self.wires.call(loss, loss.component.main, scope, config)
        factor = "" if loss.factor is None else f"{config}.{axes.WEIGHT.key}"
        weights = self.weights(loss, target, number)
        return Term(loss, target, line, call, weights, factor, view=number_of_view or 0)

    def weights(self, loss: Choice, target: Choice, number: int) -> tuple[Line, ...]:
        """The lines that compute the weight of a term; none if it is 1 or a number."""
        weight = loss.weight
        if weight is None or self.views.of(target) is None:
            return ()
        computed = transforms(weight.component)
        lines: list[Line] = []
        scope = dict(self.views.scope)
        if has_rate(weight.component):
            name = numbered("rate" if computed else "weight", number)
            rate = self.rate(target, weight, name)
            if rate is None:
                return ()
            lines, scope = [rate], scope | {"rate": rate.name}
        if computed:
            f, config = weight.component.main, f"{axes.LOSS.config}.{loss.name}.{axes.WEIGHT.key}"
            call = self.wires.call(weight, f, scope, config)
            lines.append(self.once(numbered("weight", number), call, f.shape))
        return tuple(lines)

    def once(self, name: str, call: Call, shape: str = "") -> Line:
        """A new line, or the existing line with the same call; a time per position has a weight."""
        if "t" in call.arguments and shape == "(B, 1)" and "time" in self.noise:
            shape = drawn_by(self.noise["time"].component).shape
        return self.line_of.setdefault(str(call), Line(name, call, shape))

    def bound_term(self, number: int, loss: Choice) -> Term:
        """The term of log p(x) or of its bound for a loss, with the ELBO weight of its target."""
        target = self.target_of(loss)
        assert target is not None
        rated = ELBO_WEIGHTS.of(self.spec.process.component).get(target.value, ONE) != ONE
        weight = "elbo" if rated and not ELBO_ALONE.of(loss.component) else axes.WEIGHT.default
        term = replace(
            loss,
            component=elbo_term(loss.component),
            weight=Choice(axes.WEIGHT, component(axes.WEIGHT.folder, weight), ()),
            factor=None,
        )
        return self.term(number, term)

    def rate(self, target: Choice, weight: Choice, name: str) -> Line | None:
        """The function that gives the weight; None if it is 1, or unknown: X301."""
        process, count = self.spec.process, self.noise.get("count")
        wanted = rate_name(weight.component, process.component, target.value)
        if wanted == ONE and not transforms(weight.component):
            return None
        counted = count.component if count else None
        f = rate_function(wanted, process.component, counted)
        if f is None or not fits_target(weight.component, process.component, target.value):
            texts = undefined(weight.component, process.component, counted, target.value)
            self.wires.problem("X301", weight, *texts)
            return None
        own = f.name in process.component.functions
        config = axes.PROCESS.config if own else axes.COUNT.config
        call = self.wires.call(
            process if own or count is None else count, f, self.views.scope, config
        )
        return self.once(name, call, f.shape)
