"""X301: a weight that the process does not declare for a target, or that no component defines.

The hint says what is missing. It names another weight only if that is the ELBO weight of the
target: an unweighted loss would be another method.
"""

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import components_of
from xlm_spec.compiler.components import Component
from xlm_spec.compiler.declarations import ELBO_WEIGHTS
from xlm_spec.compiler.declared_types import weighting
from xlm_spec.compiler.middle.likelihood import ONE, fits_target, rates, unseen_fields


def undefined(
    weight: Component, process: Component, count: Component | None, target: str
) -> tuple[str, str]:
    """Message and hint for the weight of a loss on a target."""
    declared = ELBO_WEIGHTS.of(process)
    wanted = declared.get(target, "")
    message = f"`weight: {weight.value}` is undefined for target `{target}`"
    message = f"{message} of process `{process.value}`"
    if wanted == ONE:
        return message, f"the ELBO weight of `{target}` is 1"
    if wanted and fits_target(weight, process, target):
        return not_defined(weight, process, count, wanted)
    if wanted:
        hint = f"the ELBO weight of `{target}` is `{wanted}`: write `weight: elbo`"
        custom = f' or, in `{weight.file}`, COUNT = "{wanted}"'
        return message, hint + custom * bool(weight.file)
    if process.file:
        return message, to_declare(process, count, target)
    if not unseen_fields(process):
        return message, "the process corrupts nothing: without `weight` the loss is -log p(x)"
    return message, f"the process has an ELBO weight for: {', '.join(declared)}"


def to_declare(process: Component, count: Component | None, target: str) -> str:
    """The hint for a custom process that declares no weight for a target."""
    own = [f for f in rates(process) if f in weighting(process)]
    known = [*own, *(sorted(weighting(count)) if count else []), ONE]
    names = " or ".join(f'"{name}"' for name in known)
    hint = f'declare it in `{process.file}`: ELBO_WEIGHTS = {{"{target}": NAME}}'
    return f"{hint}; NAME is {names}, or a function of that file"


def not_defined(
    weight: Component, process: Component, count: Component | None, wanted: str
) -> tuple[str, str]:
    """Message and hint for a function that neither the count nor the process defines."""
    message = f"`weight: {weight.value}` requires the function `{wanted}`, which"
    makers = f"process `{process.value}` does not define"
    if count:
        makers = f"neither count `{count.value}` nor process `{process.value}` defines"
    files = [f"`{c.file}`" for c in (process, count) if c and c.file]
    counts = [v for v, c in components_of(axes.COUNT).items() if wanted in c.functions]
    hints = [f"define it in {' or '.join(files)}"] if files else []
    hints += [f"counts that define it: {', '.join(counts)}"] if count and counts else []
    return f"{message} {makers}", "; ".join(hints)
