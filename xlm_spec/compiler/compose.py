"""Spec -> Method: the pieces put together, each wire traced to what makes it.

What does not fit is collected as problems; `check` reports them, `lower` relies on finding none.
"""

from xlm_spec.compiler.method import Method
from xlm_spec.compiler.sampling import Looping
from xlm_spec.compiler.spec import Spec
from xlm_spec.compiler.training import Training
from xlm_spec.compiler.wires import Wires


def compose(spec: Spec) -> Method:
    """Puts the pieces together."""
    wires = Wires(spec)
    Training(wires)
    for i, sampling in enumerate(spec.samplers):
        Looping(wires, sampling, "sampler" if i == 0 else f"sampler_{sampling.name}").take()
    return wires.method
