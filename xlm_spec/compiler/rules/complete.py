"""X307: a target that asks whether a text is complete sees complete texts.

With `least: 1` every text of training lacks something: the answer is always no, and a sampler that
waits for yes ends at its limit.
"""

from collections.abc import Iterator

from xlm_spec.compiler.method import Method
from xlm_spec.compiler.rules.finding import Finding

CODE = "X307"


def found(method: Method) -> Iterator[Finding]:
    count, asking = method.count, method.asking_for_an_end
    least = {p.name: p.default for p in method.count_numbers}
    if count and asking and (least | count.given).get("least"):
        told = f"count `{count.value}` always drops something"
        told = f"{told}: target `{asking[0].value}` never sees a complete text"
        yield Finding(count, told, "write `least: 0`")
