"""X353: noise that leaves clean tokens at t = 1, where the sampler starts from none.

The bound of log p(x) has a term for the end of the noise: how far q(x_1 | x) is from what the
sampler starts with. It is zero only if nothing survives. With these numbers something does, the
term is missing, and so no bound is reported: the package has no `log_likelihood_bound`.
"""

from collections.abc import Iterator

from xlm_spec.compiler.method import Method
from xlm_spec.compiler.rules.finding import Finding

CODE = "X353"


def found(method: Method) -> Iterator[Finding]:
    schedule = method.schedule
    if schedule is None:
        return
    stated = schedule.component.constants.get("BOUND", {})
    off = {k: v for k, v in stated.items() if schedule.given.get(k, v) != v}
    for name, value in off.items():
        told = (
            f"`{name}: {schedule.given[name]}` leaves clean tokens at t = 1, where sampling starts"
        )
        told = f"{told} from none: no bound of log p(x) is reported"
        yield Finding(schedule, told, f"`{name}: {value:g}` has one")
