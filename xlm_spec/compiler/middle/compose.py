"""Spec -> Method: fills in defaults, and finds what provides each wire.

Errors are collected in `problems`. `check` reports them; `lower` requires that there are none.
"""

from dataclasses import replace

from xlm_spec.compiler.axes import SCHEDULE, is_clock
from xlm_spec.compiler.middle.defaults import with_defaults
from xlm_spec.compiler.middle.heads import build_heads
from xlm_spec.compiler.middle.likelihood import is_objective, likelihood
from xlm_spec.compiler.middle.method import Method
from xlm_spec.compiler.middle.network import attention_of, methods
from xlm_spec.compiler.middle.sampling import SamplerBuilder
from xlm_spec.compiler.middle.spec import Spec
from xlm_spec.compiler.middle.terms import Terms
from xlm_spec.compiler.middle.views import Views
from xlm_spec.compiler.middle.wires import Wires


def compose(spec: Spec) -> Method:
    """The method of a spec."""
    wires = Wires(spec)
    noise = with_defaults(wires)
    views = Views(wires, noise)
    losses = Terms(wires, noise, views)
    terms = losses.terms()
    clocks = tuple(c for key, c in noise.items() if is_clock(key))
    schedules = [c for c in noise.values() if c.axis.folder == SCHEDULE.folder]
    loops = [SamplerBuilder(wires, schedules, sampling).loop() for sampling in spec.samplers]
    scope = {"vocab_size": "config.vocab.size", "direction": f'"{attention_of(spec)}"'}
    scope |= {"schedule": SCHEDULE.config} if "schedule" in noise else {}
    build = methods(spec.backbone.component)["__init__"]
    built = tuple(wires.arguments(spec.backbone, build, scope))
    method = Method(
        spec=spec,
        schedule=noise.get("schedule"),
        clocks=clocks,
        time=noise.get("time"),
        count=noise.get("count"),
        objective=views.lines,
        terms=terms,
        bound=(),
        loops=tuple(loop for loop in loops if loop),
        built=built,
        problems=tuple(wires.problems),
    )
    heads = build_heads(wires, method)
    method = replace(method, heads=heads, problems=tuple(wires.problems))
    own = not method.problems and likelihood(method) != "none" and not is_objective(method)
    if not own:
        return method
    return replace(method, bound=losses.bound(), bound_time=views.bound_time)
