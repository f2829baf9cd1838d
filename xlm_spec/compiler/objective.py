"""The lines of a package's objective.py: the training objective, and the bound of log p(x)."""

from xlm_spec.compiler.axes import WEIGHT
from xlm_spec.compiler.code import imports, mapping
from xlm_spec.compiler.method import Line, Method, Term

PLACES = {"schedule": "config.noise.schedule", "vocab": "config.vocab"}  # of local names
TOLD = {  # what `log_likelihood_bound` returns, by the method's likelihood
    "exact": "The exact log p(x), (B,), nats per sequence.",
    "objective": "An unbiased estimate of a lower bound of log p(x), (B,), nats per sequence.",
    "own": "An unbiased estimate of a lower bound of log p(x), (B,), nats per sequence.",
}


def objective(method: Method) -> dict:
    """Imports, the lines of the objective, and those of the bound where there is one."""
    likelihood = method.likelihood
    bounds = []
    if likelihood == "own":
        bounds = [body(method, method.bound) + total(method.bound)]
    elif likelihood != "none":
        bounds = [negated([t.loss.value for t in method.terms])]
    return {
        "imports": imports(wanted(method)),
        "lines": body(method, method.terms) + terms(method.terms),
        "bounds": [{"doc": TOLD[likelihood], "lines": lines} for lines in bounds],
    }


def body(method: Method, listed: list[Term]) -> list[str]:
    """Everything before the return: noise, network, targets, weights; each made once."""
    found = [*method.objective]
    for term in listed:
        found += [line for line in (term.target, *term.weight) if line not in found]
    calls = [*(line.call for line in found), *(t.call for t in listed)]
    read = {a for call in calls for a in call.arguments}
    start = [f"    {name} = {place}" for name, place in PLACES.items() if name in read]
    return start + [text for line in found for text in assign(line, 4)]


def nats(term: Term) -> str:
    """A term as an expression, (B,)."""
    if not term.weight:
        return f"{term.call}.sum(1)"
    return f"({term.weight[-1].name} * {term.call}).sum(1)"


def terms(listed: list[Term]) -> list[str]:
    return mapping({t.loss.value: nats(t) for t in listed}, 4)


def total(listed: list[Term]) -> list[str]:
    """The lines that return minus the sum of terms."""
    if len(listed) == 1:
        return [f"    return -{nats(listed[0])}"]
    added = [f"    nats = {nats(listed[0])}", *(f"    nats += {nats(t)}" for t in listed[1:])]
    return [*added, "    return -nats"]


def negated(names: list[str]) -> list[str]:
    """The lines that return minus the sum of the objective's terms."""
    call = "objective(model, x, config, rng)"
    if len(names) == 1:
        return [f'    return -{call}["{names[0]}"]']
    added = " + ".join(f'terms["{t}"]' for t in names)
    return [f"    terms = {call}", f"    return -({added})"]


def wanted(method: Method) -> dict[str, set[str]]:
    """What objective.py imports."""
    listed = [*method.terms, *method.bound]
    called = {line.call.function for line in method.objective}
    called |= {line.call.function for t in listed for line in t.weight}
    weights = [c.component.functions for c in method.choices if c.axis is WEIGHT]
    own = {f for functions in weights for f in functions}
    return {
        "torch": {"Generator", "Tensor"},
        ".config": {"Config"},
        ".loss": {t.call.function for t in listed} | (called & own),
        ".noise": called - own - {"model"},
        ".target": {t.target.call.function for t in listed},
        ".types": {"Examples"},
    }


def assign(line: Line, indent: int) -> list[str]:
    """`name = call  # shape`."""
    return line.call.lines(f"{line.name} = ", f"  # {line.shape}" * bool(line.shape), indent)
