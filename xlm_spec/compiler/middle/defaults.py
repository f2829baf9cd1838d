"""The parts of the noise that a spec leaves out: schedule, times and count.

Further schedules have no default: two components could mean one schedule by two names.
"""

from dataclasses import replace

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import clock, components_of, is_clock
from xlm_spec.compiler.components import Function
from xlm_spec.compiler.middle.likelihood import elbo_weight_functions
from xlm_spec.compiler.middle.network import methods, used_of
from xlm_spec.compiler.middle.spec import Choice
from xlm_spec.compiler.middle.wires import Wires
from xlm_spec.diagnostics import nearest

CLOCK = "Schedule"  # the type of a wire that is a further schedule


def with_defaults(wires: Wires) -> dict[str, Choice]:
    """Schedules, time and count by key: from the spec, or a default that some component needs."""
    spec = wires.spec
    corrupt = spec.process.component.functions["corrupt"]
    count = wires.default(axes.COUNT, spec.count, [corrupt])
    noise = [corrupt, *functions_of(count)]
    noise += elbo_weight_functions(spec.process.component)
    weights = [loss.weight for loss in spec.losses]
    terms = [
        f for c in (*spec.roll_ins, *spec.targets, *spec.losses, *weights) for f in functions_of(c)
    ]
    time = wires.default(axes.TIME, spec.time, noise + terms)
    loops = [
        f for s in spec.samplers for c in (s.loop, *s.wraps, *s.correctors) for f in functions_of(c)
    ]
    prior = spec.process.component.functions["prior"]
    network = methods(spec.backbone.component).values()
    readers = [*noise, *functions_of(time), *terms, *loops, prior, *network]
    schedule = wires.default(axes.SCHEDULE, spec.schedule, readers)
    if schedule and not spec.schedule:
        schedule = fitting(schedule, spec.process)
    clocks = further_schedules(wires, readers)
    return {c.axis.key: c for c in (schedule, *clocks, time, count) if c}


def functions_of(choice: Choice | None) -> list[Function]:
    return [*choice.component.functions.values()] if choice else []


def further_schedules(wires: Wires, readers: list[Function]) -> list[Choice]:
    """The further schedules that some function needs.

    Reports those that the spec lacks (X201), with a default in their place, and those that nothing
    uses (X204).
    """
    given = {c.axis.key: c for c in wires.spec.clocks}
    needed = [w for f in readers for w, kind in f.wires.items() if kind == CLOCK and is_clock(w)]
    misspelt = set()
    for name in (k for k in given if k not in needed):
        message = f"no component of this spec uses `{given[name].axis.path}`"
        meant = nearest(name, [w for w in needed if w not in given])
        misspelt.add(meant)
        hint = f"did you mean `{meant}`?" if meant else f"remove `{name}`"
        wires.problem("X204", given[name], message, hint)
    for name in dict.fromkeys(w for w in needed if w not in {*given, *misspelt}):
        report_missing(wires, name, [*given])
    found = (wires.default(clock(w), given.get(w), readers) for w in dict.fromkeys(needed))
    return [c for c in found if c]


def report_missing(wires: Wires, name: str, given: list[str]) -> None:
    """Reports a schedule that a component requires and the spec does not have (X201)."""
    spec = wires.spec
    weights = [loss.weight for loss in spec.losses if loss.weight]
    loops = [c for s in spec.samplers for c in (s.loop, *s.wraps, *s.correctors)]
    chosen = [spec.process, *(c for c in (spec.time, spec.count) if c), *spec.roll_ins]
    chosen += [*spec.targets, *spec.losses, *weights, *loops]
    reads = (c for c in chosen if any(name in f.wires for f in functions_of(c)))
    reader = next(reads, spec.backbone)
    message = f"{reader.axis.folder} `{reader.value}` requires `{name}`, which the spec lacks"
    known = f"; its further schedules: {', '.join(given)}" if given else ""
    meant = nearest(name, given)
    add = f"add `{name}: {axes.SCHEDULE.default}`, or another schedule, to `noise`{known}"
    wires.problem("X201", reader, message, f"did you mean `{meant}`? Or {add}" if meant else add)


def fitting(default: Choice, process: Choice) -> Choice:
    """The default schedule, or the first one with the methods that the process requires."""
    required = used_of(process.component, axes.SCHEDULE.wire)
    known = [default.component, *components_of(axes.SCHEDULE).values()]
    fits = (c for c in known if required <= {*c.methods[c.object]})
    return replace(default, component=next(fits, default.component))
