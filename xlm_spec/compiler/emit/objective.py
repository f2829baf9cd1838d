"""A package's objective.py: the training objective, and the bound of log p(x)."""

from xlm_spec.compiler.axes import SCHEDULE, WEIGHT, is_clock
from xlm_spec.compiler.emit.plan import (
    Assign,
    Nats,
    Objective,
    Return,
    Statement,
    assign,
    imported,
)
from xlm_spec.compiler.middle.call import Call
from xlm_spec.compiler.middle.likelihood import likelihood
from xlm_spec.compiler.middle.local_names import NUMBERED
from xlm_spec.compiler.middle.method import Line, Method, Term

FUNCTIONS = ("objective", "log_likelihood_bound")  # of the file; the template defines them
ARGUMENTS = ("model", "x", "config", "rng")  # of both
PLACES = {SCHEDULE.wire: SCHEDULE.config, "vocab": "config.vocab"}  # of local variables
MADE = (
    "t",
    "corrupted",
    "z",
    "hidden",
    "p_t",
    "nats",
    "terms",
)  # other variables, and `target_2` and so on
BOUND_DOCS = {  # what `log_likelihood_bound` returns, by the kind of likelihood
    "exact": "The exact log p(x), (B,), nats per sequence.",
    "objective": "An unbiased estimate of a lower bound of log p(x), (B,), nats per sequence.",
    "own": "An unbiased estimate of a lower bound of log p(x), (B,), nats per sequence.",
}


def objective(method: Method) -> Objective:
    """The body of the objective, and that of the bound, if any."""
    stated = likelihood(method)
    listed = [*method.terms, *method.bound]
    lines = [*noise(method), *(w for t in listed for w in t.lines)]
    assert all(is_variable(line.name) for line in lines), "a name that a component could have"
    terms = Return({t.loss.name: nats(t) for t in method.terms})
    bound: tuple[Statement, ...] = ()
    if method.bound:
        bound = (*before(method, method.bound, own=True), *total(method.bound))
    elif stated != "none":
        bound = negated([t.loss.name for t in method.terms])
    return Objective(
        imports=imported(wanted(method)),
        body=(*before(method, method.terms), terms),
        bound=bound,
        bound_doc=BOUND_DOCS.get(stated, ""),
    )


def is_variable(name: str) -> bool:
    """Can objective.py have a variable, an argument or a function of this name in any package?"""
    stem, _, number = name.rpartition("_")
    fixed = (*FUNCTIONS, *ARGUMENTS, *PLACES, *MADE, *NUMBERED)
    return name in fixed or is_clock(name) or (number.isdigit() and stem in NUMBERED)


def noise(method: Method, own: bool = True) -> list[Line]:
    """The noise and the model; `own`: with the times of the bound."""
    of_bound = {line.name: line for line in (method.bound_time,) if own and line}
    return [of_bound.get(line.name, line) for line in method.objective]


def before(method: Method, listed: tuple[Term, ...], own: bool = False) -> list[Assign]:
    """The statements before `return`: noise, model, targets, weights; each computed once."""
    found = noise(method, own)
    for term in listed:
        found += [line for line in term.lines if line not in found]
    calls = [*(line.call for line in found), *(t.call for t in listed)]
    read = {a for call in calls for a in call.arguments}
    clocks = {c.axis.wire: c.axis.config for c in method.clocks}
    places = {SCHEDULE.wire: SCHEDULE.config} | clocks | PLACES
    first = [Assign(name, place) for name, place in places.items() if name in read]
    return [*first, *map(assign, found)]


def nats(term: Term) -> Nats:
    weight = term.weight[-1].name if term.weight else term.factor
    return Nats(term.call, weight, term.density.name if term.density else "")


def total(listed: tuple[Term, ...]) -> tuple[Statement, ...]:
    """Minus the sum of terms."""
    first, *others = map(nats, listed)
    if not others:
        return (Return(first, "-"),)
    added = [Assign("nats", other, operator="+=") for other in others]
    return (Assign("nats", first), *added, Return("nats", "-"))


def negated(names: list[str]) -> tuple[Statement, ...]:
    """Minus the sum of the objective's terms."""
    call = Call(FUNCTIONS[0], ARGUMENTS)
    if len(names) == 1:
        return (Return(f'{call}["{names[0]}"]', "-"),)
    added = " + ".join(f'terms["{t}"]' for t in names)
    return (Assign("terms", call), Return(f"({added})", "-"))


def wanted(method: Method) -> dict[str, set[str]]:
    """The imports of objective.py."""
    listed = [*method.terms, *method.bound]
    called = {line.call.function for line in (*method.objective, *noise(method))}
    called |= {line.call.function for t in listed for line in t.lines[1:]}
    weights = [c.component.functions for c in method.choices if c.axis is WEIGHT]
    own = {f for functions in weights for f in functions}
    return {
        "torch": {"Generator", "Tensor"},
        ".config": {"Config"},
        ".loss": {t.call.function for t in listed} | (called & own),
        ".noise": {f for f in called - own if f.partition(".")[0] != "model"},
        ".target": {t.target.call.function for t in listed},
        ".types": {"Examples"},
    }
