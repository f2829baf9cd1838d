"""X311: a loss whose minimiser depends on the time requires a time-conditioned backbone.

If every token of x_t may be wrong, how far to trust it depends on the time: near t = 0 hardly any
is wrong, near t = 1 nearly all are. If tokens are missing without a trace, their expected number
depends on it likewise. The model cannot infer the time from x_t. A model that does not read it
learns a mean over all times, which does not minimise the loss, and with which no sampler follows
the data.
"""

from collections.abc import Iterator

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import components_of
from xlm_spec.compiler.declarations import MINIMISER, UNMARKED
from xlm_spec.compiler.middle.method import Method
from xlm_spec.compiler.middle.network import time_conditioned
from xlm_spec.compiler.middle.rules.finding import Finding

CODE = "X311"
DEPENDENT = {"leave_one_out", "expected_count"}


def found(method: Method) -> Iterator[Finding]:
    backbone = method.spec.backbone
    if method.time is None or time_conditioned(backbone.component):
        return
    unmarked = UNMARKED.of(method.spec.process.component)
    dependent = DEPENDENT | {"posterior"} if unmarked else DEPENDENT
    losses = [loss for loss in method.spec.losses if MINIMISER.of(loss.component) in dependent]
    if not losses:
        return
    names = ", ".join(f"`{loss.value}`" for loss in losses)
    what = "the minimiser of loss" if len(losses) == 1 else "the minimisers of losses"
    verb = "depends" if len(losses) == 1 else "depend"
    message = f"{what} {names} {verb} on the time, which backbone `{backbone.value}` does not read"
    timed = [v for v, c in components_of(axes.BACKBONE).items() if time_conditioned(c)]
    yield Finding(backbone, message, f"use a backbone that is time-conditioned: {', '.join(timed)}")
