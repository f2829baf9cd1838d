"""X351: a drawn stop follows the law of the data only with `weight: levels`.

Training meets a text of n tokens without k of them with probability 1 / (n + 1); a sampler passes
each k once. So the exact minimiser of the unweighted loss says "complete" too often where texts
have different lengths, and a sampler that draws its stop ends them too early. With one length, or
with a threshold that is tuned, nothing is lost.
"""

from collections.abc import Iterator

from xlm_spec.compiler import axes
from xlm_spec.compiler.method import Method, likelihood_weight, weighs_nothing
from xlm_spec.compiler.rules.finding import Finding

CODE = "X351"


def found(method: Method) -> Iterator[Finding]:
    rules = [p.rules[axes.STOP.key] for p in method.loops if axes.STOP.key in p.rules]
    drawn = [rule for rule in rules if rule.value == "drawn"]
    for term in method.terms if drawn else []:
        weight = likelihood_weight(method.spec.process.component, term.asked.value)
        if weight and term.asked in method.asking_for_an_end and weighs_nothing(term.loss.weight):
            told = "`stop: drawn` ends texts too early where their lengths differ"
            told = f"{told}: `{term.loss.value}` counts long texts too little"
            yield Finding(drawn[0], told, f"`weight: {weight.value}`")
