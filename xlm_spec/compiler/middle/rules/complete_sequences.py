"""X307: a target that asks for completeness also sees complete sequences.

With `min_corrupted: 1` every training sequence lacks a token. The correct answer is always
"incomplete", and a sampler that waits for "complete" stops only at the maximum length.
"""

from collections.abc import Iterator

from xlm_spec.compiler.middle.likelihood import completeness_targets, count_parameters
from xlm_spec.compiler.middle.method import Method
from xlm_spec.compiler.middle.rules.finding import Finding

CODE = "X307"


def found(method: Method) -> Iterator[Finding]:
    count, targets = method.count, completeness_targets(method)
    values = {p.name: p.default for p in count_parameters(method)}
    if count and targets and (values | count.given).get("min_corrupted"):
        message = f"count `{count.value}` always drops a token"
        message = f"{message}, so target `{targets[0].value}` never sees a complete sequence"
        yield Finding(count, message, "write `min_corrupted: 0`")
