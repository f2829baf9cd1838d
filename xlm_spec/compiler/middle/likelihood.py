"""What a method reports about log p(x): nothing, a lower bound, or the exact value."""

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import components_of
from xlm_spec.compiler.components import Component, Function, Parameter, component, values
from xlm_spec.compiler.declarations import (
    AUXILIARY,
    CONVERTS,
    COUNT,
    ELBO_ALONE,
    ELBO_BESIDE,
    ELBO_LOSS,
    ELBO_TERM,
    ELBO_WEIGHT,
    ELBO_WEIGHTS,
    EXACT_AT,
    IMPORTANCE,
    MINIMISER,
    PREDICTIONS,
    PRIOR_AT,
)
from xlm_spec.compiler.middle.method import Loop, Method, Term
from xlm_spec.compiler.middle.network import attention
from xlm_spec.compiler.middle.spec import Choice

READ = "read"  # the positions at which losses read hidden states; not every process states them
DENSITY = "density"  # an optional function of a time: the density of the times that it draws
BOUND_TIME = "bound_time"  # an optional function of a time: draws the times of the bound, uniform
EVERY_TIME = "every_time"  # a function of a time that draws one of several: all of them
ONE = "one"  # the ELBO weight of a target whose loss needs none
NO_RATES = {"select_tokens", "corrupt", "prior", "likelihood"}  # functions that are no weights


def likelihood(method: Method) -> str:
    """`exact`; a bound: `objective` (minus the objective) or `own` (its own terms); or `none`.

    A bound requires times of known density and the parameter values of `bound_at`, an exact value
    that the model does not see its targets. If the times are not uniform, the terms of the bound
    are divided by their density, or it has times of its own.
    """
    claim = claimed(method)
    if claim in ("none", "exact"):
        return claim if claim == "none" or predicts_unseen(method) else "none"
    if not has_bound_values(method):
        return "none"
    if has_own_times(method):
        return "own"
    return claim if time_is_uniform(method) else "none"


def claimed(method: Method) -> str:
    """The same, from the losses, the weights and the process alone."""
    claim = claimed_apart(method)
    whole = claim == "exact" or not any(is_partial(method, t) for t in likelihood_terms(method))
    return claim if whole else "none"


def is_partial(method: Method, term: Term) -> bool:
    """Does no loss of the spec score what this one, as a term of the bound, leaves out?"""
    beside = ELBO_BESIDE.of(elbo_term(term.loss.component))
    return bool(beside) and not any(t.asked.value in beside for t in likelihood_terms(method))


def claimed_apart(method: Method) -> str:
    """The same, if each term of the bound is one beside any others."""
    process, terms = method.spec.process.component, likelihood_terms(method)
    if any(t.view for t in terms):
        return "none"  # a roll-in is not the noise of the ELBO
    if not terms or not all(in_elbo(t.loss.component) for t in terms):
        return "none"
    alone = [t for t in terms if ELBO_ALONE.of(t.loss.component)]
    if not unseen_fields(process) and not ELBO_WEIGHTS.of(process) and not alone:
        return "exact"
    rated = [t for t in terms if t not in alone]
    if not all(elbo_weight_is_known(method, t) for t in rated):
        return "none"
    scored = {returned_by(t.asked.value) for t in rated}
    if rated and {returned_by(target) for target in ELBO_WEIGHTS.of(process)} - scored:
        return "none"  # a term of the bound is missing
    return "objective" if is_objective(method) else "own"


def returned_by(target: str) -> str:
    """The type of a shipped target, of which a bound scores one: the others replace it."""
    shipped = target in values(axes.TARGET.folder)
    return component(axes.TARGET.folder, target).main.returns if shipped else target


def likelihood_terms(method: Method) -> list[Term]:
    """The terms that are not auxiliary."""
    return [t for t in method.terms if not AUXILIARY.of(t.loss.component)]


def is_objective(method: Method) -> bool:
    """Are the terms of log p(x), or of its bound, those of the objective?"""
    process = method.spec.process.component
    replaced = [t for t in method.terms if ELBO_LOSS.of(t.loss.component)]
    weighted = (has_elbo_weight(process, t.loss, t.asked.value) for t in method.terms)
    uniform = time_is_uniform(method) and not has_own_times(method)
    complete = likelihood_terms(method) == [*method.terms]
    return uniform and complete and not replaced and all(weighted)


def elbo_weight_is_known(method: Method, term: Term) -> bool:
    """Does the process declare the ELBO weight of the target, and is it defined?"""
    process = method.spec.process.component
    declared = ELBO_WEIGHTS.of(process).get(term.asked.value, "")
    count = method.count.component if method.count else None
    return declared == ONE or rate_function(declared, process, count) is not None


def predicts_unseen(method: Method) -> bool:
    """If nothing is corrupted: does the model read x itself, and predict the next token?"""
    draws = set(method.spec.process.component.functions["corrupt"].wires) - {"x", "vocab"}
    return attention(method) == "causal" and not draws


def has_own_times(method: Method) -> bool:
    """Does the bound draw other times than the objective, or alone divide by their density?"""
    functions = method.time.component.functions if method.time else {}
    return BOUND_TIME in functions or (DENSITY in functions and not divides(method.time))


def divides(time: Choice | None) -> bool:
    """Is each term of the objective divided by the density of the times?"""
    return bool(time and IMPORTANCE.of(time.component) and DENSITY in time.component.functions)


def time_is_uniform(method: Method) -> bool:
    """Are the training times uniform, or is each term divided by their density?

    The density of a custom component is unknown.

    Discrete times are, for losses that read their number: others integrate over time.
    """
    if method.time and EVERY_TIME in method.time.component.functions:
        counted = {p.name for p in method.time.component.parameters}
        return all(counted & {*t.loss.component.main.wires} for t in likelihood_terms(method))
    shipped = method.time is None or method.time.value in values(axes.TIME.folder)
    return shipped or divides(method.time)


def bound_at(method: Method) -> dict[str, float]:
    """The parameter values for which the bound holds, by dotted name.

    Schedule: the noise at t = 1 is the prior. Count: if a target predicts completeness, training
    sees complete sequences.
    """
    at = {
        f"{schedule.axis.path}.{name}": value
        for schedule in method.schedules
        for name, value in (PRIOR_AT.of(schedule.component) or {}).items()
    }
    if completeness_targets(method) and any(
        p.name == "min_corrupted" for p in count_parameters(method)
    ):
        at[f"{axes.COUNT.path}.min_corrupted"] = 0
    return at


def ends_in_prior(schedule: Choice) -> bool:
    """Does the schedule declare that alpha runs from 1 to 0 with the parameters of the spec?"""
    declared = PRIOR_AT.of(schedule.component)
    return declared is not None and all(schedule.given.get(k, v) == v for k, v in declared.items())


def has_bound_values(method: Method) -> bool:
    """Does the spec have the parameter values of `bound_at`?"""
    given = {f"{c.axis.path}.{k}": v for c in method.schedules for k, v in c.given.items()}
    at_prior = all(PRIOR_AT.of(c.component) is not None for c in method.schedules)
    return at_prior and all(given.get(k, v) == v for k, v in bound_at(method).items())


def completeness_targets(method: Method) -> list[Choice]:
    """The targets that predict whether a sequence is complete."""
    return [t for t in method.spec.targets if t.component.main.returns == "Complete"]


def count_parameters(method: Method) -> tuple[Parameter, ...]:
    return method.count.component.parameters if method.count else ()


def exact_at(method: Method, loop: Loop) -> dict[str, float] | None:
    """The parameter values for which samples follow the model's distribution, by dotted name.

    None if a component of the sampler declares none, if there is a corrector and the sampler does
    not move from the distribution at t to that at s, or if the losses train other predictions.
    """
    found: dict[str, float] = {}
    choices = {f".{k}": c for k, c in loop.rules.items()} | {"": loop.sampling.loop}
    choices |= {f".{c.axis.key}.{c.value}": c for c in loop.listed}
    if loop.sampling.correctors and "s" not in loop.fields:
        return None
    made, misfit = predictions(method, loop)
    if misfit or PREDICTIONS.of(loop.loop) not in ("", made):
        return None
    for key, choice in choices.items():
        declared = EXACT_AT.of(choice.component)
        if declared is None:
            return None
        found |= {f"{loop.path}{key}.{name}": n for name, n in declared.items()}
    return found


def predictions(method: Method, loop: Loop) -> tuple[str, Choice | None]:
    """The MINIMISER that the sampler gets from the model and its wraps; "" if losses differ.

    And the first wrap that converts another one.
    """
    kinds = {MINIMISER.of(t.loss.component) for t in likelihood_terms(method)}
    made = kinds.pop() if len(kinds) == 1 else ""
    for wrap in reversed(loop.sampling.models):  # the innermost first
        converts = CONVERTS.of(wrap.component)
        if converts and made not in converts:
            return made, wrap
        made = converts.get(made, made)
    return made, None


def unseen_fields(process: Component) -> set[str]:
    """The fields of the corrupted batch that the model does not see: they describe x_0."""
    return set(process.types["Noised"]) - {"tokens", "valid", READ}


def rate_name(weight: Component, process: Component, target: str) -> str:
    """The function that a weight is, or is computed from; "" if it needs none or none is known."""
    return ELBO_WEIGHTS.of(process).get(target, "") if ELBO_WEIGHT.of(weight) else COUNT.of(weight)


def rate_function(name: str, process: Component, count: Component | None) -> Function | None:
    """The function of the process or of the count with this name; None if neither has it."""
    return rates(process).get(name) or (rates(count).get(name) if count else None)


def rates(c: Component) -> dict[str, Function]:
    """The functions of a process or a count that can be weights, by name."""
    return {name: f for name, f in c.functions.items() if name not in NO_RATES}


def elbo_weight_functions(process: Component) -> list[Function]:
    """The functions of the process that are ELBO weights of targets."""
    declared = ELBO_WEIGHTS.of(process).values()
    return [f for name, f in rates(process).items() if name in declared]


def fits_target(weight: Component, process: Component, target: str) -> bool:
    """Is this weight, or its rate, the function that the process declares for the target?"""
    declared = ELBO_WEIGHTS.of(process).get(target)
    return bool(declared) and rate_name(weight, process, target) == declared


def likelihood_weight(process: Component, target: str) -> Component | None:
    """The weight that makes the loss on a target a term of the negative ELBO.

    A weight that names the function of the count comes first; None if the process declares none.
    """
    shipped = components_of(axes.WEIGHT).values()
    exact = [c for c in shipped if is_elbo_weight(c) and fits_target(c, process, target)]
    return next(iter(sorted(exact, key=ELBO_WEIGHT.of)), None)


def has_elbo_weight(process: Component, loss: Choice, target: str) -> bool:
    """With its weight in the spec, is the loss, or its replacement, a term of the negative ELBO?"""
    declared = ELBO_WEIGHTS.of(process).get(target, ONE)
    if is_plain(loss) or ELBO_ALONE.of(loss.component):
        return is_plain(loss) and (ELBO_ALONE.of(loss.component) or declared == ONE)
    weight = loss.weight.component if loss.weight else None
    return bool(weight and is_elbo_weight(weight) and fits_target(weight, process, target))


def is_elbo_weight(weight: Component) -> bool:
    """Is it a function of the count or of the process, unchanged?"""
    return has_rate(weight) and not transforms(weight)


def has_rate(weight: Component) -> bool:
    """Is a weight a function of the count or of the process, or computed from one?"""
    return bool(COUNT.of(weight)) or ELBO_WEIGHT.of(weight)


def transforms(weight: Component) -> bool:
    """Does the file of a weight compute it, from a rate or from other wires?"""
    return weight.value in weight.functions


def in_elbo(loss: Component) -> bool:
    """Is the loss a term of the negative ELBO, or does another loss replace it there?"""
    return ELBO_TERM.of(loss) or ELBO_ALONE.of(loss) or bool(ELBO_LOSS.of(loss))


def elbo_term(loss: Component) -> Component:
    """The term of the negative ELBO: the loss itself, or the one that replaces it there."""
    return component(axes.LOSS.folder, ELBO_LOSS.of(loss)) if ELBO_LOSS.of(loss) else loss


def is_plain(loss: Choice) -> bool:
    """Is the weight of the loss 1, whatever the config?"""
    weight = loss.weight.component if loss.weight else None
    return loss.factor is None and not (weight and (has_rate(weight) or transforms(weight)))


def is_unweighted(loss: Choice) -> bool:
    """Is the weight of the loss a constant?"""
    return loss.factor is not None or is_plain(loss)
