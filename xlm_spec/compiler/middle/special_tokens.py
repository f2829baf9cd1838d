"""The special tokens that a method requires, and what fills the rest of its canvas."""

import ast

from xlm_spec.compiler.components import Component
from xlm_spec.compiler.middle.method import Method
from xlm_spec.compiler.middle.network import used_of
from xlm_spec.compiler.middle.spec import Spec

FILL_OF = dict.fromkeys(("State", "Replaced", "Mixed"), "eos")  # shipped states of fixed length


def needs(method: Method) -> list[str]:
    """Special tokens besides BOS and PAD, which every method requires."""
    used = {a for c in method.choices for a in used_of(c.component, "vocab")}
    used |= {"eos"} if fill(method.spec) == "eos" else set()
    return sorted(used & {"eos", "mask"})


def fill(spec: Spec) -> str:
    """`eos` or `none`: a canvas of fixed length is filled with EOS."""
    return str(spec.data.get("fill") or fill_of_state(spec.process.component) or "none")


def fill_of_state(process: Component) -> str:
    """The same, from the state of the process alone; "" if it is unknown.

    The length is fixed if `prior` starts with all valid positions of x.
    """
    state = process.functions["prior"].returns
    if state not in process.types:
        return FILL_OF.get(state, "none")
    calls = (n for n in ast.walk(process.definitions["prior"].node) if isinstance(n, ast.Call))
    for call in (c for c in calls if ast.unparse(c.func) == state):
        by_name = {k.arg: k.value for k in call.keywords}
        valid = by_name.get("valid") or (call.args[1] if len(call.args) > 1 else None)
        if valid and ast.unparse(valid) in ("x.valid", "x.valid.clone()"):
            return "eos"
    return ""
