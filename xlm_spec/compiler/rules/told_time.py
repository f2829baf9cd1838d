"""X306: a sampler that knows no time can't tell it to a backbone.

A network that was trained with the time of its input reads it in sampling too. A sampler that
counts tokens, not time, has none to give.
"""

import ast
from collections.abc import Iterator

from xlm_spec.compiler.components import Component
from xlm_spec.compiler.method import Method, untimed_backbones
from xlm_spec.compiler.rules.finding import Finding

CODE = "X306"


def found(method: Method) -> Iterator[Finding]:
    if not method.time_conditioned or method.time is None:
        return
    for sampling in method.spec.samplers:
        loop = sampling.loop
        if not sampling.outer and calls_without_time(loop.component):
            told = f"sampler `{loop.value}` knows no time"
            told = f"{told}, which backbone `{method.spec.backbone.value}` is to be told"
            yield Finding(loop, told, f"a backbone without time ({untimed_backbones()})")


def calls_without_time(loop: Component) -> bool:
    """Does a loop call `model(tokens, valid)` with nothing more?"""
    found = (n for d in loop.definitions.values() for n in ast.walk(d.node))
    calls = (n for n in found if isinstance(n, ast.Call))
    return any(ast.unparse(n.func) == "model" and len(n.args) < 3 for n in calls)
