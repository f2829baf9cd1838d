"""X303: a backbone is told the time only where the noise has one.

Without a time there is nothing to tell it: its input would be a number that means nothing, in
training and in sampling.
"""

from collections.abc import Iterator

from xlm_spec.compiler.method import Method, untimed_backbones
from xlm_spec.compiler.rules.finding import Finding

CODE = "X303"


def found(method: Method) -> Iterator[Finding]:
    if method.time is None and method.time_conditioned:
        backbone = method.spec.backbone
        told = f"backbone `{backbone.value}` is told the time, and no noise here has one"
        yield Finding(backbone, told, f"without time: {untimed_backbones()}")
