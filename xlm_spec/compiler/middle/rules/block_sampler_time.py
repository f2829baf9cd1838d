"""X304: no blocks around a sampler whose backbone is time-conditioned.

In each block the sampler's time runs from 1 to 0, while all later blocks are still fully corrupted.
The backbone was trained with the time of the whole sequence.
"""

from collections.abc import Iterator

from xlm_spec.compiler.middle.method import Method
from xlm_spec.compiler.middle.network import time_conditioned, untimed_backbones
from xlm_spec.compiler.middle.rules.finding import Finding

CODE = "X304"


def found(method: Method) -> Iterator[Finding]:
    if not time_conditioned(method.spec.backbone.component) or method.time is None:
        return
    backbone = method.spec.backbone.value
    for around in (c for s in method.spec.samplers for c in s.loops):
        message = f"backbone `{backbone}` is conditioned on the time of the whole sequence"
        message = f"{message}, but `wrap: {around.value}` restarts the time in each block"
        hint = f"use a backbone that is not time-conditioned ({untimed_backbones()})"
        yield Finding(around, message, f"{hint}, or remove `{around.value}`")
