"""X303: the noise of a time-conditioned backbone has a time.

Without a time the backbone would get a meaningless number, in training and in sampling.
"""

from collections.abc import Iterator

from xlm_spec.compiler.middle.method import Method
from xlm_spec.compiler.middle.network import time_conditioned, untimed_backbones
from xlm_spec.compiler.middle.rules.finding import Finding

CODE = "X303"


def found(method: Method) -> Iterator[Finding]:
    backbone = method.spec.backbone
    if method.time is None and time_conditioned(backbone.component):
        message = f"backbone `{backbone.value}` is time-conditioned, but the noise has no time"
        hint = f"use a backbone that is not time-conditioned: {untimed_backbones()}"
        yield Finding(backbone, message, hint)
