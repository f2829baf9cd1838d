"""X305: a loss trains every head that a sampler reads.

A head that no loss reads keeps the weights that it began with: a sampler would follow noise, or
stop at random.
"""

from collections.abc import Iterator

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import cards
from xlm_spec.compiler.components import values
from xlm_spec.compiler.method import Method, read_on_model
from xlm_spec.compiler.rules.finding import Finding

CODE = "X305"


def found(method: Method) -> Iterator[Finding]:
    heads = set(values("head"))
    trained = {h for loss in method.spec.losses for h in read_on_model(loss.component)}
    for loop in (s.loop for s in method.spec.samplers):
        for name in sorted(read_on_model(loop.component) & heads - trained)[:1]:
            told = f"sampler `{loop.value}` reads `{name}` of the network"
            do = [v for v, c in cards(axes.LOSS).items() if name in read_on_model(c)]
            hint = f"losses that do: {', '.join(do)}"
            yield Finding(loop, f"{told}, which no loss here trains", hint)
