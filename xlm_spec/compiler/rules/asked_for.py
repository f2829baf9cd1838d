"""X302: some target asks for what the process hides.

A loss is taken where a target asks. Where none asks for what was hidden, the network would learn
from what it can see, and nothing of how to restore the rest.
"""

from collections.abc import Iterator

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import cards
from xlm_spec.compiler.method import Method, hidden_by
from xlm_spec.compiler.rules.finding import Finding

CODE = "X302"


def found(method: Method) -> Iterator[Finding]:
    process, targets = method.spec.process.component, method.spec.targets
    hidden, read = hidden_by(process), [set(t.component.main.wires) for t in targets]
    astray = any(not wires <= method.made for wires in read)  # told where it is called (X201)
    if hidden and not astray and not any(hidden & wires for wires in read):
        fits = [v for v, c in cards(axes.TARGET).items() if hidden & set(c.main.wires)]
        told = f"no target asks for what process `{process.value}` hides"
        yield Finding(targets[0], told, f"one that does: {', '.join(fits)}")
