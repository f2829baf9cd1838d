"""X305: some loss trains every head that a sampler uses, with its wraps and correctors.

A head without a loss keeps its initial weights. The sampler would follow random logits, or stop at
random.
"""

from collections.abc import Iterator

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import components_of
from xlm_spec.compiler.middle.method import Method
from xlm_spec.compiler.middle.network import heads_of, used_of_model
from xlm_spec.compiler.middle.rules.finding import Finding

CODE = "X305"


def found(method: Method) -> Iterator[Finding]:
    heads = set(heads_of(method.spec))
    trained = {h for loss in method.spec.losses for h in used_of_model(loss.component)}
    listed = [(s.loop, *s.wraps, *s.correctors) for s in method.spec.samplers]
    for choice in (c for each in listed for c in each):
        for name in sorted(used_of_model(choice.component) & heads - trained)[:1]:
            message = f"{choice.axis.key} `{choice.value}` uses head `{name}`, which no loss trains"
            fits = [v for v, c in components_of(axes.LOSS).items() if name in used_of_model(c)]
            custom = f"use `model.{name}` in a loss"
            losses = " or ".join(f"`{v}`" for v in fits)
            yield Finding(choice, message, f"add loss {losses}" if fits else custom)
