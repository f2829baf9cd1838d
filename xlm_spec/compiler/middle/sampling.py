"""The samplers of a method: each is a loop of steps with rules, wraps and correctors."""

from collections.abc import Iterable
from dataclasses import replace

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import components_of
from xlm_spec.compiler.components import Component, Function, component, kind
from xlm_spec.compiler.middle.call import Call
from xlm_spec.compiler.middle.method import Around, Line, Loop, module_of
from xlm_spec.compiler.middle.network import used_of_model
from xlm_spec.compiler.middle.spec import Choice, Sampling
from xlm_spec.compiler.middle.wires import Scope, Wires, ticks_of

NARROWED = "tokens=state.tokens", "valid=state.valid", "fixed=state.fixed"


class SamplerBuilder:
    """Composes one sampler of a spec."""

    def __init__(self, wires: Wires, schedules: list[Choice], sampling: Sampling):
        self.wires, self.spec, self.schedules = wires, wires.spec, schedules
        self.sampling, self.chosen = sampling, sampling.loop
        self.several = len(self.spec.samplers) > 1
        self.apart = self.several or len(sampling.loops) > 1
        self.config = "settings" if self.several else axes.SAMPLER.config  # of its parameters

    def loop(self) -> Loop | None:
        """The code of the sampler; None if it does not fit, which is reported."""
        functions = self.chosen.component.functions
        if not self.fits_process() or not self.fits_state():
            return None
        required = {w for f in self.functions() for w in f.wires}
        rules = self.rules(required)
        if not all(map(self.wires.has_on_model, self.callers())) or not self.fits_wraps():
            return None
        schedule = next((c for c in self.schedules if c.axis is axes.SCHEDULE), None)
        if not all(self.wires.has_on_schedule(c, schedule) for c in self.callers()):
            return None
        objects = self.objects(rules, required)
        scope = {"x": "start", "rng": "rng", "vocab": "config.vocab", "model": "model"}
        scope |= {n: n for n in objects}
        prior = self.spec.process.component.functions["prior"]
        config = axes.PROCESS.config
        models = tuple(self.model(c, scope) for c in reversed(self.sampling.models))
        first = Line("state", self.wires.call(self.spec.process, prior, scope, config))
        scope["state"] = "state"
        time_grid, step = functions["time_grid"], functions["step"]
        fields = ticks_of(time_grid.returns, self.chosen.component)
        inner = scope | {n: n for n in fields}
        corrections = [(c, c.component.main) for c in self.sampling.correctors]
        read = {w for f in (step, *(f for _, f in corrections)) for w in f.wires}
        around, shown = self.around(scope)
        return Loop(
            sampling=self.sampling,
            rules=rules,
            objects=objects,
            models=models,
            prior=first,
            init_state=self.line("init_state", scope),
            around=around,
            fields=fields,
            ticks=unpacked(n if n in read else "_" for n in fields),
            time_grid=self.wires.call(self.chosen, time_grid, scope, self.config),
            step=self.wires.call(self.chosen, step, inner, self.config),
            corrections=tuple(Line("state", self.of_list(c, f, inner)) for c, f in corrections),
            shown=shown,
            finished=self.called("finished", scope),
            state=step.returns,
            several=self.several,
        )

    def functions(self) -> list[Function]:
        """The functions of the sampler, its wraps and its correctors."""
        chosen = [self.chosen, *self.sampling.loops, *self.sampling.correctors]
        found = [f for c in chosen for f in c.component.functions.values()]
        return [*found, *(built(c.component) for c in self.sampling.models)]

    def callers(self) -> list[Choice]:
        """The components that can call the model."""
        return [self.chosen, *self.sampling.wraps, *self.sampling.correctors]

    def called(self, name: str, scope: Scope) -> Call | None:
        """The call of an optional function of the sampler."""
        f = self.chosen.component.functions.get(name)
        return self.wires.call(self.chosen, f, scope, self.config) if f else None

    def line(self, name: str, scope: Scope) -> Line | None:
        call = self.called(name, scope)
        return Line("state", call) if call else None

    def of_list(self, choice: Choice, f: Function, scope: Scope) -> Call:
        """The call of a function of a wrap or of a corrector."""
        config = f"{self.config}.{choice.axis.key}.{choice.value}"
        home = f"{module_of(choice)}." if self.apart else ""
        return self.wires.call(choice, f, scope, config, home)

    def model(self, choice: Choice, scope: Scope) -> Line:
        """`model = Guided(model, ...)`."""
        return Line("model", self.of_list(choice, built(choice.component), scope))

    def around(self, scope: Scope) -> tuple[tuple[Around, ...], Call | None]:
        """The loops around the sampler; and the state without their restrictions.

        A loop inside of another one reads the examples in which all is fixed that the other fixes.
        """
        found, scopes = [], []
        for i, choice in enumerate(self.sampling.loops):
            f = choice.component.functions
            name = "part" if i == 1 else f"part_{i}"
            scope = scope | ({"x": name} if i else {})
            ticks = ticks_of(f["windows"].returns, choice.component)
            found.append(
                Around(
                    choice=choice,
                    examples=Line(name, Call("start._replace", NARROWED)) if i else None,
                    windows=self.of_list(choice, f["windows"], scope),
                    fields=ticks,
                    ticks=unpacked(ticks),
                    narrow=Line(
                        "state",
                        self.of_list(choice, f["narrow"], scope | {n: n for n in ticks}),
                    ),
                )
            )
            scopes.append(scope)
        shown: Call | None = None
        for around, seen in zip(reversed(found), reversed(scopes), strict=True):
            widen, state = around.choice.component.functions["widen"], str(shown or "state")
            shown = self.of_list(around.choice, widen, seen | {"state": state})
        return tuple(found), shown

    def objects(self, rules: dict[str, Choice], required: set[str]) -> dict[str, str]:
        """The schedule and the rules: local name -> path in the config."""
        prior = self.spec.process.component.functions["prior"]
        required = {*required, *prior.wires}
        schedules = (c.axis for c in self.schedules if c.axis.wire in required)
        names = {a.wire: f"{self.config}.{a.key}" for a in axes.RULES if a.key in rules}
        return {a.wire: a.config for a in schedules} | names

    def rules(self, required: set[str]) -> dict[str, Choice]:
        """The rules that the sampler requires, from the spec or by default."""
        out = {}
        for axis in axes.RULES:
            given = self.sampling.rules.get(axis.key)
            if given and axis.wire not in required:
                message = f"sampler `{self.chosen.value}` does not use `{axis.key}`"
                self.wires.problem("X204", given, message, f"remove `{axis.key}`")
            elif given:
                out[axis.key] = given
            elif axis.wire in required and axis.default:
                path = (*self.chosen.path, axis.key)
                out[axis.key] = Choice(axis, component(axis.folder, axis.default), path)
        return out

    def fits_process(self) -> bool:
        """Do the sampler and the loops around it start from the state of the process?"""
        process = self.spec.process
        provided = process.component.functions["prior"].returns
        loops = (self.chosen, *self.sampling.loops)
        wrong = [c for c in loops if starts_from(c.component) != provided]
        for choice in wrong:
            role, known = choice.axis.folder, components_of(choice.axis).items()
            fits = [v for v, c in known if not c.wrapper and starts_from(c) == provided]
            message = f"{role} `{choice.value}` starts from a `{starts_from(choice.component)}`"
            message = f"{message}, but process `{process.value}` provides a `{provided}`"
            hint = f"allowed with `{process.value}`: {', '.join(fits)}"
            custom = f"write {kind(role)} that starts from a `{provided}`, in a file of its own"
            custom = f"remove `{role}`, or {custom}" if choice is not self.chosen else custom
            self.wires.problem("X205", choice, message, hint if fits else custom)
        return not wrong

    def fits_state(self) -> bool:
        """Do the correctors change the state of the sampler?"""
        state = self.chosen.component.functions["step"].returns
        wrong = [c for c in self.sampling.correctors if c.component.main.wires["state"] != state]
        for choice in wrong:
            corrected = choice.component.main.wires["state"]
            message = f"corrector `{choice.value}` changes a `{corrected}`"
            message = f"{message}, but sampler `{self.chosen.value}` has a `{state}`"
            known = components_of(axes.SAMPLER).items()
            fits = [v for v, c in known if c.functions["step"].returns == corrected]
            hint = f"samplers with a `{corrected}`: {', '.join(fits)}"
            self.wires.problem("X205", choice, message, hint if fits else "remove `corrector`")
        return not wrong

    def fits_wraps(self) -> bool:
        """Does each wrap of the model have what the components inside of it use? Reports X207."""
        users = [self.chosen, *self.sampling.correctors]
        for choice in reversed(self.sampling.models):
            c = choice.component
            if "__getattr__" not in c.methods[c.wrapper]:
                for user in users:
                    for name in sorted(used_of_model(user.component) - {*c.methods[c.wrapper]}):
                        message = f"{user.axis.folder} `{user.value}` uses `model.{name}`"
                        message = f"{message}, which wrap `{choice.value}` does not define"
                        hint = f"write `def {name}(...)` in class `{c.wrapper}`, or `__getattr__`"
                        self.wires.problem("X207", choice, message, hint)
                        return False
            users = [*users, choice]
        return True


def built(wrap: Component) -> Function:
    """The call that makes a wrap of the model."""
    return replace(wrap.methods[wrap.wrapper]["__init__"], name=wrap.wrapper)


def unpacked(names: Iterable[str]) -> str:
    """The loop variables for these fields; `_` if there are none."""
    listed = list(names)
    return f"({listed[0]},)" if len(listed) == 1 else ", ".join(listed) or "_"


def starts_from(loop: Component) -> str:
    """The type of the state that a loop starts from."""
    f = loop.functions
    return (f.get("narrow") or f.get("init_state") or f["step"]).wires["state"]
