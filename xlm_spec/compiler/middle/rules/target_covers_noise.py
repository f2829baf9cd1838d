"""X302: some target covers the tokens that the process corrupts.

A loss is computed on a target. If no target covers the corrupted tokens, the model does not learn
to restore them.
"""

from collections.abc import Iterator

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import components_of
from xlm_spec.compiler.middle.likelihood import unseen_fields
from xlm_spec.compiler.middle.method import Method
from xlm_spec.compiler.middle.rules.finding import Finding
from xlm_spec.compiler.middle.shared_numbers import names

CODE = "X302"


def found(method: Method) -> Iterator[Finding]:
    process, targets = method.spec.process.component, method.spec.targets
    unseen = unseen_fields(process)
    required = [set(t.component.main.wires) for t in targets]
    if any(not wires <= provided(method) for wires in required):
        return  # X201 reports it
    if unseen and not any(unseen & wires for wires in required):
        all_targets = components_of(axes.TARGET).items()
        fits = [v for v, c in all_targets if unseen & set(c.main.wires)]
        message = f"no target covers the tokens that process `{process.value}` corrupts"
        hint = f"use target {' or '.join(f'`{v}`' for v in fits)}"
        other = f"use a target that requires one of: {', '.join(sorted(unseen))}"
        yield Finding(targets[0], message, hint if fits else other)


def provided(method: Method) -> set[str]:
    """The wires that training provides for targets."""
    drawn = {c.axis.wire for c in method.optional.values()}
    process = method.spec.process.component
    numbers = names(method.spec, method.optional.values())
    views = (c.component.types.get(c.component.main.returns, {}) for c in method.spec.roll_ins)
    rolled_in = {name for fields in views for name in fields}
    known = {"x", "model", "rng", "vocab", "hidden", *drawn, *numbers, *rolled_in}
    return known | {*process.types["Noised"]}
