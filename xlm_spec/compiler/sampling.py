"""The samplers of a method: each a loop of steps, with its rules, perhaps inside another loop."""

from collections.abc import Iterable

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import cards
from xlm_spec.compiler.code import Call
from xlm_spec.compiler.components import Component, component, values
from xlm_spec.compiler.method import Line, Loop, Outer, read_on_model
from xlm_spec.compiler.spec import Choice, Sampling
from xlm_spec.compiler.wires import Scope, Wires


class Looping:
    """Puts one sampler of a spec together."""

    def __init__(self, wires: Wires, sampling: Sampling, module: str):
        self.wires, self.spec, self.method = wires, wires.spec, wires.method
        self.sampling, self.module, self.loop = sampling, module, sampling.loop
        several = len(self.spec.samplers) > 1
        self.place = f"config.sampler.{sampling.name}" if several else "config.sampler"

    def take(self) -> None:
        """Adds the sampler to the method, or says what does not fit."""
        functions = self.loop.component.functions
        if not self.continues():
            return
        rules = self.rules({w for f in functions.values() for w in f.wires})
        if not self.backbone_has_its_methods():
            return
        objects = self.objects(rules)
        scope = {"model": "model", "x": "start", "rng": "rng", "vocab": "config.vocab"}
        scope |= {n: n for n in objects}
        prior = self.spec.process.component.functions["prior"]
        place = f"config.{axes.PROCESS.path}"
        first = Line("state", self.wires.call(self.spec.process, prior, scope, place))
        scope["state"] = "state"
        times, step = functions["times"], functions["step"]
        fields = ticks_of(times.returns)
        self.method.loops.append(
            Loop(
                sampling=self.sampling,
                module=self.module,
                rules=rules,
                objects=objects,
                prior=first,
                enter=self.line("enter", scope),
                outer=self.outer(scope),
                ticks=unpacked(n if n in step.wires else "_" for n in fields),
                times=self.wires.call(self.loop, times, scope, self.place),
                step=self.wires.call(self.loop, step, scope | {n: n for n in fields}, self.place),
                finished=self.called("finished", scope),
                state=step.returns,
                place=self.place.removeprefix("config."),
            )
        )

    def called(self, name: str, scope: Scope) -> Call | None:
        """The call of a function that not every loop has."""
        f = self.loop.component.functions.get(name)
        return self.wires.call(self.loop, f, scope, self.place) if f else None

    def line(self, name: str, scope: Scope) -> Line | None:
        call = self.called(name, scope)
        return Line("state", call) if call else None

    def outer(self, scope: Scope) -> Outer | None:
        choice = self.sampling.outer
        if choice is None:
            return None
        f, place = choice.component.functions, f"{self.place}.outer"
        ticks = ticks_of(f["windows"].returns)
        inner = scope | {n: n for n in ticks}
        return Outer(
            choice=choice,
            windows=self.wires.call(choice, f["windows"], scope, place),
            ticks=unpacked(ticks),
            narrow=Line("state", self.wires.call(choice, f["narrow"], inner, place)),
            widen=self.wires.call(choice, f["widen"], scope, place),
        )

    def objects(self, rules: dict[str, Choice]) -> dict[str, str]:
        """Schedule and rules: the local name of each, and where it lives in the config."""
        reads = {w for f in self.loop.component.functions.values() for w in f.wires}
        names = {a.wire: f"{self.place}.{a.key}" for a in axes.RULES if a.key in rules}
        if self.method.schedule and "schedule" in reads:
            return {"schedule": "config.noise.schedule"} | names
        return names

    def rules(self, reads: set[str]) -> dict[str, Choice]:
        """The rules that the loop reads, given or by default."""
        out = {}
        for axis in axes.RULES:
            given = self.sampling.rules.get(axis.key)
            if given and axis.wire not in reads:
                told = f"sampler `{self.loop.value}` reads no `{axis.key}`"
                self.wires.problem("X204", given, told, "leave it out")
            elif given:
                out[axis.key] = given
            elif axis.wire in reads and axis.default:
                path = (*self.loop.path, axis.key)
                out[axis.key] = Choice(axis, component(axis.folder, axis.default), path)
        return out

    # ---- what must fit ---------------------------------------------------------------------------

    def continues(self) -> bool:
        """Do the loops go on from what the process starts with?"""
        process = self.spec.process
        gets = process.component.functions["prior"].returns
        loop, outer = self.loop, self.sampling.outer
        wrong = [c for c in (loop, outer) if c and starts_from(c.component) != gets]
        for choice in wrong:
            all_of = cards(choice.axis).items()
            fits = [v for v, c in all_of if starts_from(c) == gets]
            told = f"{choice.axis.folder} `{choice.value}` goes on from a"
            told = f"{told} {starts_from(choice.component)}, process `{process.value}` starts"
            hint = f"{choice.axis.folder}s that fit: {', '.join(fits)}" if fits else "leave it out"
            self.wires.problem("X205", choice, f"{told} with a {gets}", hint)
        return not wrong

    def backbone_has_its_methods(self) -> bool:
        """Is everything that the loop calls on the network a head, or a method of the backbone?"""
        known = {*self.method.backbone_methods, *values("head")}
        for name in sorted(read_on_model(self.loop.component) - known):
            have = [b for b, c in cards(axes.BACKBONE).items() if name in c.methods["Backbone"]]
            told = f"sampler `{self.loop.value}` calls `{name}` of the network"
            told = f"{told}, which backbone `{self.spec.backbone.value}` has not"
            self.wires.problem("X207", self.loop, told, f"backbones that do: {', '.join(have)}")
            return False
        return True


def ticks_of(returns: str) -> tuple[str, ...]:
    """The fields of what an iterator yields."""
    tick = returns.removeprefix("Iterator[").removesuffix("]")
    return tuple(component("", "types").types.get(tick, {}))


def unpacked(names: Iterable[str]) -> str:
    """The variables of a loop over named tuples, or over what nobody reads."""
    listed = list(names)
    return f"({listed[0]},)" if len(listed) == 1 else ", ".join(listed) or "_"


def starts_from(loop: Component) -> str:
    """The type of state that a loop goes on from."""
    f = loop.functions
    return (f.get("narrow") or f.get("enter") or f["step"]).wires["state"]
