"""Finds what provides each wire.

A wire is a tensor or an object that one component provides and another one requires: a positional
parameter. It matches by its name, targets match by their type. Keyword-only parameters are not
wires: the spec sets them.
"""

import ast

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import Axis, components_of
from xlm_spec.compiler.components import Component, Function, component
from xlm_spec.compiler.members import MODULE_ATTRIBUTES, members
from xlm_spec.compiler.middle.call import Call
from xlm_spec.compiler.middle.network import (
    TEACHER,
    attributes,
    heads_of,
    methods,
    used_of,
    used_of_model,
)
from xlm_spec.compiler.middle.shared_numbers import NUMBERS, names, owners
from xlm_spec.compiler.middle.spec import Choice, Spec
from xlm_spec.diagnostics import Diagnostic, alternatives

Scope = dict[str, str]  # the name of a wire -> the expression that holds it


class Wires:
    """Builds the calls of components; collects errors in `problems`."""

    def __init__(self, spec: Spec):
        self.spec = spec
        self.problems: list[Diagnostic] = []
        self.defaults: list[Choice] = []  # that the spec leaves out
        self.unfit_schedule = False  # was a missing method of the schedule reported?

    def problem(self, code: str, choice: Choice, message: str, hint: str = "") -> None:
        self.problems.append(self.spec.diagnostic(code, choice, message, hint))

    def default(self, axis: Axis, given: Choice | None, readers: list[Function]) -> Choice | None:
        """The choice of the spec, or the default if one of the functions requires its wire."""
        required = any(axis.wire in f.wires for f in readers)
        if given and not required:
            message = f"no component of this spec uses `{axis.path}`"
            self.problem("X204", given, message, f"remove `{axis.key}`")
            return None
        if required and not given and axis.default:
            path = tuple(axis.path.split("."))
            chosen = Choice(axis, component(axis.folder, axis.default), path)
            self.defaults.append(chosen)
            return chosen
        return given

    def call(
        self, choice: Choice, f: Function, scope: Scope, config: str = "", home: str = ""
    ) -> Call:
        """The call of a function of a component, of module `home.` if it is in another one.

        `config` is the path of its parameters.
        """
        arguments = self.arguments(choice, f, scope)
        arguments += [f"{p.name}={config}.{p.name}" for p in f.parameters]
        return Call(f"{home}{f.name}", tuple(arguments))

    def arguments(self, choice: Choice, f: Function, scope: Scope) -> list[str]:
        """The expressions of the wires of a function: from the scope, or a shared number."""
        self.report_missing(
            choice, f, [w for w in f.wires if not self.provides(choice, f, w, scope)], scope
        )
        return [scope[w] if w in scope else self.number(choice, f, w) for w in f.wires]

    def provides(self, choice: Choice, f: Function, wire: str, scope: Scope) -> bool:
        """Is a wire in the scope, or a number of another component?"""
        return wire in scope or bool(owners(self.spec, self.defaults, choice, f, wire))

    def number(self, choice: Choice, f: Function, wire: str) -> str:
        """The path of a shared number. Reports several owners (X209)."""
        found = owners(self.spec, self.defaults, choice, f, wire)
        if len(found) > 1:
            paths = " and ".join(f"`{owner.number}`" for owner in found)
            message = f"{choice.axis.folder} `{choice.value}` requires the number `{wire}`"
            message = f"{message}, which has several owners: {paths}"
            hint = (
                f"keep one parameter `{wire}`; elsewhere write `{wire}: {f.wires[wire]}` before `*`"
            )
            self.problem("X209", choice, message, hint)
        return found[0].expression if found else wire

    def has_on_model(self, choice: Choice) -> bool:
        """Does the model have every attribute that the component uses? Reports X207."""
        heads = heads_of(self.spec)
        if not self.has_on_backbone(choice):
            return False
        known = {*methods(self.spec.backbone.component), *heads, *MODULE_ATTRIBUTES}
        known |= {TEACHER} if choice.axis == axes.LOSS else set()
        for name in sorted(used_of_model(choice.component) - known):
            backbones = components_of(axes.BACKBONE).items()
            fits = [v for v, c in backbones if name in c.methods["Backbone"]]
            message = f"{choice.axis.folder} `{choice.value}` uses `model.{name}`"
            message = f"{message}, which backbone `{self.spec.backbone.value}` does not define"
            custom = f"for a custom head, write `head: ./{name}.py`"
            meant = f"{alternatives(name, heads).replace('allowed', 'heads')}; {custom}"
            hint = f"backbones that define it: {', '.join(fits)}" if fits else meant
            self.problem("X207", choice, message, hint)
            return False
        return True

    def has_on_schedule(self, choice: Choice, schedule: Choice | None) -> bool:
        """Does the schedule have every method that the component uses? Reports X201, once."""
        if schedule is None:
            return True
        name = schedule.component.object
        known = {*schedule.component.methods[name], *schedule.component.types.get(name, {})}
        for missing in sorted(used_of(choice.component, "schedule") - known):
            schedules = components_of(axes.SCHEDULE).items()
            fits = [f"`{v}`" for v, c in schedules if missing in c.methods[c.object]]
            message = f"{choice.axis.folder} `{choice.value}` requires `schedule.{missing}`"
            message = f"{message}, which schedule `{schedule.value}` does not define"
            hint = f"use schedule {' or '.join(fits)}" if fits else ""
            if not self.unfit_schedule:
                self.problem("X201", choice, message, hint)
            self.unfit_schedule = True
            return False
        return True

    def has_on_backbone(self, choice: Choice) -> bool:
        """Does the backbone have what the component uses as `model.backbone.name`? Reports X207."""
        backbone = self.spec.backbone
        node = backbone.component.definitions["Backbone"].node
        known = members(node) if isinstance(node, ast.ClassDef) else None
        used = {a for x, a in attributes(choice.component) if x == "model.backbone"}
        if known is None:
            return True
        for name in sorted(used - known):
            defined = name in methods(backbone.component)
            message = f"{choice.axis.folder} `{choice.value}` uses `model.backbone.{name}`"
            message = f"{message}, which backbone `{backbone.value}` does not define"
            message = f"{message} in its `__init__`"
            own = sorted(known - {*MODULE_ATTRIBUTES, *dir(object)})
            hint = f"write `model.{name}`" if defined else alternatives(name, own)
            self.problem("X207", choice, message, hint)
            return False
        return True

    def report_missing(self, choice: Choice, f: Function, wires: list[str], scope: Scope) -> None:
        """Reports wires that a component requires and nothing provides (X201, X203)."""
        for rule in (a for a in axes.RULES if a.wire in wires):
            message = f"sampler `{choice.value}` requires `{rule.key}`: {rule.meaning}"
            hint = f"add `{rule.key}: …` with one of: {', '.join(components_of(rule))}"
            self.problem("X203", choice, message, hint)
        others = [w for w in wires if w not in {a.wire for a in axes.RULES}]
        if others:
            all_of = components_of(axes.PROCESS).values()
            makers = [f"`{c.value}`" for c in all_of if set(others) <= set(c.types["Noised"])]
            *first, last = (f"`{w}`" for w in others)
            listed = f"{', '.join(first)} and {last}" if first else last
            message = f"{choice.axis.folder} `{choice.value}` requires {listed}"
            message = f"{message}, which no component of this spec provides"
            available = f"available: {', '.join(sorted(scope))}"
            if all(f.wires[w] in NUMBERS for w in others):
                known = ", ".join(sorted(names(self.spec, self.defaults, choice)))
                available = f"numbers of this spec: {known}; write parameters after `*`"
            if choice.axis is axes.SAMPLER and f.name == "step":
                available = f"{available}; {ticks(choice)}"
            hint = f"process {' or '.join(makers)} provides {'it' if not first else 'them'}"
            if f"`{self.spec.process.value}`" in makers:
                hint = f"{hint}, but not yet here; {available}"
            self.problem("X201", choice, message, hint if makers else available)


def ticks(sampler: Choice) -> str:
    """What the steps of a sampler can require of its times, for a hint."""
    c = sampler.component
    returns = c.functions["time_grid"].returns
    known = ", ".join(ticks_of(returns, c))
    kind = returns.removeprefix("Iterator[").removesuffix("]")
    return f"`time_grid` yields {known or f'`{kind}`, which has no fields'}"


def ticks_of(returns: str, c: Component) -> tuple[str, ...]:
    """The names of the fields that an iterator of a component yields."""
    tick = returns.removeprefix("Iterator[").removesuffix("]")
    return tuple((component("", "types").types | c.types).get(tick, {}))
