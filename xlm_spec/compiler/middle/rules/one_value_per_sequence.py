"""X309: a loss with one value per sequence has a weight, or a density, per position.

With times per position, (B, L), the weight that depends on them is (B, L). The product with a loss
of shape (B, 1) repeats the loss at every position, and the sum over positions is another objective.
"""

import re
from collections.abc import Iterator

from xlm_spec.compiler.middle.method import Method
from xlm_spec.compiler.middle.rules.finding import Finding

CODE = "X309"
HINT = "use a time with one value per sequence, such as `stratified`"
PER_SEQUENCE = re.compile(r"# \(B, (?!L)")  # in the comment of a field
SEQUENCE, POSITIONS = "(B, 1)", "(B, L)"  # shapes, in docstrings


def found(method: Method) -> Iterator[Finding]:
    times = next((line.shape for line in method.objective if line.name == "t"), "")
    process = method.spec.process
    fields = process.component.definitions["Noised"].text
    if times == POSITIONS and PER_SEQUENCE.search(fields) and method.time:
        message = f"process `{process.value}` has a field with one value per sequence"
        message = f"{message}, but time `{method.time.value}` has one per position, {POSITIONS}"
        yield Finding(method.time, message, HINT)
        return
    shapes = {c.value: c.component.main.shape for c in method.spec.losses}
    shapes |= {t.call.function: t.loss.component.main.shape for t in method.bound}
    for term in (*method.terms, *method.bound):
        loss = term.call.function
        if shapes[loss] != SEQUENCE:
            continue
        weight = term.weight[-1].shape if term.weight else ""
        density = term.density.shape if term.density else ""
        for what, shape in (("weight", weight), ("density of the times", density)):
            if shape == POSITIONS:
                message = f"loss `{loss}` has one value per sequence, {SEQUENCE}, but its {what}"
                message = f"{message} has one per position, {POSITIONS}"
                yield Finding(term.loss, message, HINT)
                return
