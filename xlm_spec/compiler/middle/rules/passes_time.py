"""X306: every call of a time-conditioned backbone passes a time.

A model that is trained with the time as an input needs it in every call: in sampling, and in a
loss, a target or a roll-in that runs the model again. A sampler that counts tokens, not time, has
no time to pass.
"""

from collections.abc import Iterator

from xlm_spec.compiler.components import Component
from xlm_spec.compiler.middle.method import Method
from xlm_spec.compiler.middle.model_calls import model_calls, signature
from xlm_spec.compiler.middle.network import time_conditioned, untimed_backbones
from xlm_spec.compiler.middle.rules.finding import Finding
from xlm_spec.compiler.middle.spec import Choice

CODE = "X306"


def found(method: Method) -> Iterator[Finding]:
    backbone = method.spec.backbone
    if not time_conditioned(backbone.component) or method.time is None:
        return
    for caller in callers(method):
        if passes_none(caller.component, backbone.component):
            message = f"backbone `{backbone.value}` is time-conditioned"
            message = f"{message}, but {caller.axis.folder} `{caller.value}` passes no time"
            hint = f"use a backbone that is not time-conditioned: {untimed_backbones()}"
            if caller.component.source:
                hint = f"write `model({signature(backbone.component)})`, or {hint}"
            yield Finding(caller, message, hint)


def callers(method: Method) -> Iterator[Choice]:
    """What may call the model: in training, and in samplers without a loop around them."""
    spec = method.spec
    yield from (spec.process, *spec.roll_ins, *spec.targets, *spec.losses)
    for sampling in spec.samplers:
        if not sampling.loops:
            yield from (sampling.loop, *sampling.models, *sampling.correctors)


def passes_none(c: Component, backbone: Component) -> bool:
    """Does a call lack the time, and nothing else? (X208 reports what else is missing.)"""
    return any(not (k.missing(backbone) or k.passes_time(backbone)) for k in model_calls(c))
