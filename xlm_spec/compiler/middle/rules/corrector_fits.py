"""X313: a corrector keeps the distribution of the states of its processes.

Its moves follow from the noise, and from what its heads predict. With another process, or with
heads that other targets train, it would change the distribution that the sampler has reached.
"""

from collections.abc import Iterator

from xlm_spec.compiler.declarations import REQUIRES
from xlm_spec.compiler.middle.method import Method
from xlm_spec.compiler.middle.rules.finding import Finding

CODE = "X313"


def found(method: Method) -> Iterator[Finding]:
    spec = method.spec
    given = {"process": [spec.process.value], "target": [t.value for t in spec.targets]}
    for corrector in (c for s in spec.samplers for c in s.correctors):
        for axis, required in REQUIRES.of(corrector.component).items():
            if not {*required} & {*given[axis]}:
                names = " or ".join(f"`{v}`" for v in required)
                message = f"corrector `{corrector.value}` requires {axis} {names}"
                here = " and ".join(f"`{v}`" for v in given[axis])
                yield Finding(corrector, f"{message}, not {here}", "remove the corrector")
                break
