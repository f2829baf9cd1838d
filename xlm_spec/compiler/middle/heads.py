"""The heads of a model: those that the components of a method use."""

from xlm_spec.compiler.axes import HEAD
from xlm_spec.compiler.components import component
from xlm_spec.compiler.declarations import LIKE
from xlm_spec.compiler.middle.method import Head, Method
from xlm_spec.compiler.middle.network import built_from, heads, heads_of
from xlm_spec.compiler.middle.spec import Choice
from xlm_spec.compiler.middle.wires import Wires


def build_heads(wires: Wires, method: Method) -> tuple[Head, ...]:
    """The heads that are used; reports those of the spec that no component uses (X204)."""
    known, names = heads_of(method.spec), heads(method)
    for head in method.spec.heads:
        if head.value not in names and not wires.problems:
            message = f"no component of this spec uses head `{head.value}`"
            hint = f"remove it, or use `model.{head.value}` in a loss"
            wires.problem("X204", head, message, hint)
    return tuple(build(wires, method, known[name]) for name in names)


def build(wires: Wires, method: Method, choice: Choice) -> Head:
    """A head, with the class of its own file or of the head that it is LIKE."""
    c = choice.component
    like = LIKE.of(c)
    defined = component(HEAD.folder, like) if like else c
    config = f"{HEAD.config}.{choice.value}"
    call = wires.call(choice, defined.build, built_from(method), config)
    return Head(choice.value, defined, call.named(defined.network))
