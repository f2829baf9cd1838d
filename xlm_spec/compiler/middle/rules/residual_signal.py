"""X353: the schedule may leave clean tokens at t = 1, but the sampler starts without any.

The bound of log p(x) has a term for the distance between q(x_1 | x) and the prior of the sampler.
It is zero only if no token survives at t = 1. With these parameters some do, or a custom schedule
does not declare that none does, and the package does not compute the term. So it has no
`log_likelihood_bound`.
"""

from collections.abc import Iterator

from xlm_spec.compiler.declarations import PRIOR_AT
from xlm_spec.compiler.docs.markdown import scalar
from xlm_spec.compiler.middle.likelihood import claimed
from xlm_spec.compiler.middle.method import Method
from xlm_spec.compiler.middle.rules.finding import Finding
from xlm_spec.compiler.middle.spec import Choice

CODE = "X353"


def found(method: Method) -> Iterator[Finding]:
    for schedule in method.schedules:
        yield from of_schedule(method, schedule)


def of_schedule(method: Method, schedule: Choice) -> Iterator[Finding]:
    declared = PRIOR_AT.of(schedule.component)
    if declared is None:
        if claimed(method) not in ("none", "exact"):
            message = f"schedule `{schedule.value}` does not declare where alpha(1) = 0"
            hint = "write `PRIOR_AT = {}` in its file if alpha(0) = 1 and alpha(1) = 0"
            message = f"{message}: no bound of log p(x) is reported"
            yield Finding(schedule, message, f"{hint} for all parameter values")
        return
    different = {k: v for k, v in declared.items() if schedule.given.get(k, v) != v}
    for name, value in different.items():
        message = f"`{name}: {schedule.given[name]}` leaves clean tokens at t = 1"
        message = f"{message}, but sampling starts without any: no bound of log p(x) is reported"
        written = f"{value:g}" if isinstance(value, float) else scalar(value)
        yield Finding(schedule, message, f"write `{name}: {written}` for a bound")
