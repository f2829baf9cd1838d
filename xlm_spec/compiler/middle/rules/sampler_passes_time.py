"""X306: the sampler of a time-conditioned backbone passes a time.

A model that is trained with the time as an input needs it in sampling too. A sampler that counts
tokens, not time, has no time to pass.
"""

from collections.abc import Iterator

from xlm_spec.compiler.middle.method import Method
from xlm_spec.compiler.middle.model_calls import model_calls
from xlm_spec.compiler.middle.network import time_conditioned, untimed_backbones
from xlm_spec.compiler.middle.rules.finding import Finding

CODE = "X306"


def found(method: Method) -> Iterator[Finding]:
    backbone = method.spec.backbone.component
    if not time_conditioned(backbone) or method.time is None:
        return
    for sampling in method.spec.samplers:
        callers = [sampling.loop, *sampling.models, *sampling.correctors]
        for caller in callers if not sampling.loops else ():
            calls = [*model_calls(caller.component)]
            if any(not (c.missing(backbone) or c.passes_time(backbone)) for c in calls):
                message = f"backbone `{method.spec.backbone.value}` is time-conditioned"
                message = f"{message}, but {caller.axis.folder} `{caller.value}` passes no time"
                hint = f"use a backbone that is not time-conditioned: {untimed_backbones()}"
                yield Finding(caller, message, hint)
