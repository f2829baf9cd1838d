"""A method as data to print: its choices with parameters, derived facts, its lines."""

from xlm_spec.compiler.declarations import ELBO_WEIGHTS
from xlm_spec.compiler.emit.config import value
from xlm_spec.compiler.middle.likelihood import bound_at, exact_at, likelihood
from xlm_spec.compiler.middle.method import Line, Loop, Method, Term
from xlm_spec.compiler.middle.network import attention, heads, taught, time_conditioned
from xlm_spec.compiler.middle.spec import Choice
from xlm_spec.compiler.middle.special_tokens import fill, needs


def with_defaults(method: Method) -> dict:
    """The spec with all defaults; values as text."""
    spec = method.spec
    samplers = {
        p.sampling.name: {
            **numbers(p.sampling.loop),
            **{k: numbers(r) for k, r in p.rules.items()},
            **{a.key: [numbers(c) for c in chosen] for a, chosen in p.lists.items() if chosen},
        }
        for p in method.loops
    }
    return {
        "noise": {
            "process": numbers(spec.process),
            **{k: numbers(c) for k, c in method.optional.items()},
            **({"roll_in": {c.value: numbers(c) for c in spec.roll_ins}} if spec.roll_ins else {}),
        },
        "target": [t.value for t in spec.targets],
        "loss": [loss(t) for t in method.terms],
        "sampler": samplers,
        "backbone": numbers(spec.backbone),
        **({"head": {h.value: numbers(h) for h in spec.heads}} if spec.heads else {}),
    }


def loss(term: Term) -> dict:
    """A loss and its weight; its target if the spec names it, its term if it has another name."""
    chosen, out = term.loss, numbers(term.loss)
    out |= {"of": chosen.of} if chosen.of else {}
    out |= {"term": chosen.term} if chosen.term else {}
    if chosen.factor is not None:
        return out | {"weight": repr(chosen.factor)}
    return out | ({"weight": numbers(chosen.weight)} if chosen.weight else {})


def numbers(c: Choice) -> dict[str, str]:
    """A choice and its parameters."""
    return {"kind": c.value, **{p.name: value(p, c.given) for p in c.component.parameters}}


def inferred(method: Method) -> dict:
    """The facts that are derived from the choices."""
    return {
        "attention": attention(method),
        "elbo_weights": elbo_weights(method),
        "fill": fill(method.spec),
        "heads": heads(method),
        "likelihood": likelihood(method),
        "needs": needs(method),
        "samplers": [s.name for s in method.spec.samplers],  # the record sorts those of the method
        "time_conditioned": time_conditioned(method.spec.backbone.component),
        **({"teacher": taught(method)} if taught(method) else {}),
    }


def elbo_weights(method: Method) -> dict[str, str]:
    """The function that is the ELBO weight of each term, where the process declares it."""
    declared = ELBO_WEIGHTS.of(method.spec.process.component)
    named = {t.loss.name: declared.get(t.asked.value, "") for t in method.terms}
    return {term: function for term, function in named.items() if function}


def outline(method: Method) -> dict:
    """The method as data: its choices, derived facts, and its unbroken lines."""
    return {
        "name": method.spec.name,
        "method": with_defaults(method),
        "inferred": inferred(method) | {"bound_at": bound_at(method)},
        "objective": [shown(line) for line in method.objective],
        "terms": {t.loss.name: outline_of_term(t) for t in method.terms},
        "bound": {t.loss.name: outline_of_term(t) for t in method.bound},
        **({"bound_time": shown(method.bound_time)} if method.bound_time else {}),
        "samplers": {loop.sampling.name: outline_of_sampler(method, loop) for loop in method.loops},
    }


def outline_of_term(term: Term) -> dict:
    weight = [shown(line) for line in term.weight]
    density = {"density": shown(term.density)} if term.density else {}
    return {"target": shown(term.target), "weight": weight, "nats": str(term.call)} | density


def outline_of_sampler(method: Method, loop: Loop) -> dict:
    around = []
    for a in loop.around:
        around += [shown(a.examples)] if a.examples else []
        around += [f"for {a.ticks} in {a.windows}:", shown(a.narrow)]
    lines = [
        *(f"{name} = {path}" for name, path in loop.objects.items()),
        *map(shown, loop.models),
        shown(loop.prior),
        *around,
        *([shown(loop.init_state)] if loop.init_state else []),
        f"for {loop.ticks} in {loop.time_grid}:",
        f"state = {loop.step}",
        *map(shown, loop.corrections),
        *([f"if {loop.finished}:"] if loop.finished else []),
    ]
    return {"state": loop.state, "exact_at": exact_at(method, loop), "lines": lines}


def shown(line: Line) -> str:
    return f"{line.name} = {line.call}" + (f"  # {line.shape}" if line.shape else "")
