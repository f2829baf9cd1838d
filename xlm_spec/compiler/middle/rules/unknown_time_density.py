"""X354: a bound needs a known density of the training times.

The weight of the bound assumes uniform times. With another density the objective is not a bound of
log p(x), unless each term is divided by that density. A custom file that does not define it as
`density(t)` gives a package without `log_likelihood_bound`.
"""

from collections.abc import Iterator

from xlm_spec.compiler import axes
from xlm_spec.compiler.components import values
from xlm_spec.compiler.middle.likelihood import claimed, has_own_times, time_is_uniform
from xlm_spec.compiler.middle.method import Method
from xlm_spec.compiler.middle.rules.finding import Finding

CODE = "X354"


def found(method: Method) -> Iterator[Finding]:
    time = method.time
    if time is None or time_is_uniform(method) or has_own_times(method):
        return
    if claimed(method) not in ("none", "exact"):
        message = f"the density of time `{time.value}` is unknown: no bound of log p(x) is reported"
        shipped = " or ".join(f"`{v}`" for v in values(axes.TIME.folder))
        hint = f"define `density(t)` in `{time.value}.py`, or use time {shipped} for a bound"
        yield Finding(time, message, hint)
