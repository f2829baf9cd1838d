"""X351: a drawn stop follows the data only with `weight: per_count` and the loss of the ELBO.

Training drops k tokens of a sequence of n tokens with probability 1 / (n + 1). A sampler passes
each k once. If lengths differ, the minimiser of the unweighted loss therefore predicts "complete"
too often, and a sampler with a drawn stop ends sequences too early. The unweighted loss is fine if
all sequences have the same length, or with a tuned threshold. A loss in whose place the ELBO has
another one, as class weights require, need not have p(complete | x_t) as its minimiser.
"""

from collections.abc import Iterator

from xlm_spec.compiler import axes
from xlm_spec.compiler.declarations import ELBO_LOSS
from xlm_spec.compiler.middle.likelihood import (
    completeness_targets,
    in_elbo,
    is_unweighted,
    likelihood_weight,
)
from xlm_spec.compiler.middle.method import Method
from xlm_spec.compiler.middle.rules.finding import Finding

CODE = "X351"


def found(method: Method) -> Iterator[Finding]:
    rules = [p.rules[axes.STOP.key] for p in method.loops if axes.STOP.key in p.rules]
    drawn = [rule for rule in rules if rule.value == "drawn"]
    bounds = [t for t in method.terms if in_elbo(t.loss.component)]
    for term in bounds if drawn else []:
        if term.asked not in completeness_targets(method):
            continue
        weight = likelihood_weight(method.spec.process.component, term.asked.value)
        if other := ELBO_LOSS.of(term.loss.component):
            message = f"the minimiser of loss `{term.loss.value}` need not be p(complete | x_t),"
            message = f"{message} from which `stop: drawn` draws"
            yield Finding(drawn[0], message, f"use loss `{other}`, or `stop: threshold`")
        elif weight and is_unweighted(term.loss):
            message = "`stop: drawn` ends sequences too early if their lengths differ"
            message = f"{message}: loss `{term.loss.value}` is unweighted"
            yield Finding(drawn[0], message, f"write `weight: {weight.value}` in this loss")
