"""The lines of a package's objective.py: the training objective, and the bound of log p(x)."""

from xlm_spec.compiler.axes import SCHEDULE, WEIGHT, is_clock
from xlm_spec.compiler.emit.code import WIDTH, imports, mapping
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


def objective(method: Method) -> dict:
    """Imports, the lines of the objective, and those of the bound, if any."""
    stated = likelihood(method)
    listed = [*method.terms, *method.bound]
    lines = [*method.objective, *(w for t in listed for w in t.lines)]
    assert all(is_variable(line.name) for line in lines), "a name that a component could have"
    bounds = []
    if method.bound:
        bounds = [body(method, method.bound) + total(method.bound)]
    elif stated != "none":
        bounds = [negated([t.loss.name for t in method.terms])]
    return {
        "imports": imports(wanted(method)),
        "lines": body(method, method.terms) + terms(method.terms),
        "bounds": [{"doc": BOUND_DOCS[stated], "lines": lines} for lines in bounds],
    }


def is_variable(name: str) -> bool:
    """Can objective.py have a variable, an argument or a function of this name in any package?"""
    stem, _, number = name.rpartition("_")
    fixed = (*FUNCTIONS, *ARGUMENTS, *PLACES, *MADE, *NUMBERED)
    return name in fixed or is_clock(name) or (number.isdigit() and stem in NUMBERED)


def body(method: Method, listed: tuple[Term, ...]) -> list[str]:
    """The lines before `return`: noise, model, targets, weights; each computed once."""
    found = [*method.objective]
    for term in listed:
        found += [line for line in term.lines if line not in found]
    calls = [*(line.call for line in found), *(t.call for t in listed)]
    read = {a for call in calls for a in call.arguments}
    clocks = {c.axis.wire: c.axis.config for c in method.clocks}
    places = {SCHEDULE.wire: SCHEDULE.config} | clocks | PLACES
    start = [f"    {name} = {place}" for name, place in places.items() if name in read]
    return start + [text for line in found for text in assign(line, 4)]


def nats(term: Term) -> str:
    """The expression of a term, (B,)."""
    weight = term.weight[-1].name if term.weight else term.factor
    before, after = f"{weight} * " * bool(weight), divided(term)
    return f"({before}{term.call}{after}).sum(1)" if before or after else f"{term.call}.sum(1)"


def divided(term: Term) -> str:
    """The division by the density of the times, in a bound."""
    return f" / {term.density.name}" if term.density else ""


def lines_of(term: Term, before: str, after: str, indent: int) -> list[str]:
    """The expression of a term between `before` and `after`, on several lines if it is too long."""
    space, weight = " " * indent, term.weight[-1].name if term.weight else term.factor
    line = f"{space}{before}{nats(term)}{after}"
    if len(line) <= WIDTH:
        return [line]
    if not weight and not term.density:
        return term.call.lines(before, f".sum(1){after}", indent)
    times = f"{weight} * " * bool(weight)
    product = [f"{space}    {times}{term.call}{divided(term)}"]
    if len(product[0]) > WIDTH:
        first = [f"{space}    {weight}"] if weight else []
        call = term.call.lines("* " * bool(weight), "", indent + 4)
        last = [f"{space}   {divided(term)}"] if term.density else []
        product = [*first, *call, *last]
    return [f"{space}{before}(", *product, f"{space}).sum(1){after}"]


def terms(listed: tuple[Term, ...]) -> list[str]:
    """The lines that return the terms by name."""
    short = mapping({t.loss.name: nats(t) for t in listed}, 4)
    if len(short) == 1:
        return short
    entries = (lines_of(t, f'"{t.loss.name}": ', ",", 8) for t in listed)
    return [short[0], *(line for lines in entries for line in lines), short[-1]]


def total(listed: tuple[Term, ...]) -> list[str]:
    """The lines that return minus the sum of terms."""
    if len(listed) == 1:
        return lines_of(listed[0], "return -", "", 4)
    added = lines_of(listed[0], "nats = ", "", 4)
    added += [line for t in listed[1:] for line in lines_of(t, "nats += ", "", 4)]
    return [*added, "    return -nats"]


def negated(names: list[str]) -> list[str]:
    """The lines that return minus the sum of the objective's terms."""
    call = f"{FUNCTIONS[0]}({', '.join(ARGUMENTS)})"
    if len(names) == 1:
        return [f'    return -{call}["{names[0]}"]']
    added = " + ".join(f'terms["{t}"]' for t in names)
    return [f"    terms = {call}", f"    return -({added})"]


def wanted(method: Method) -> dict[str, set[str]]:
    """The imports of objective.py."""
    listed = [*method.terms, *method.bound]
    called = {line.call.function for line in method.objective}
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


def assign(line: Line, indent: int) -> list[str]:
    """`name = call  # shape`."""
    return line.call.lines(f"{line.name} = ", f"  # {line.shape}" * bool(line.shape), indent)
