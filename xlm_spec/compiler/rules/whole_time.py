"""X304: no blocks around a backbone that has learnt the time of the whole text.

Inside a block the sampler's time runs from 1 to 0 for this block alone, while the blocks behind it
are still all noise. The network was told the time of texts that are equally noisy everywhere.
"""

from collections.abc import Iterator

from xlm_spec.compiler.method import Method, untimed_backbones
from xlm_spec.compiler.rules.finding import Finding

CODE = "X304"


def found(method: Method) -> Iterator[Finding]:
    if not method.time_conditioned or method.time is None:
        return
    backbone = method.spec.backbone.value
    for outer in (s.outer for s in method.spec.samplers if s.outer):
        told = f"`{outer.value}` runs through the time once for each block"
        told = f"{told}; backbone `{backbone}` learns the time of the whole text"
        yield Finding(
            outer, told, f"a backbone without time ({untimed_backbones()}), or no `outer`"
        )
