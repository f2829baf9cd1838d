"""X208: every call of the model passes what the backbone requires.

In training the compiler writes the call, and passes each wire by its name. Samplers, and losses
with a second forward pass, call the model themselves.
"""

from collections.abc import Iterator

from xlm_spec.compiler.axes import BACKBONE, components_of
from xlm_spec.compiler.components import Component
from xlm_spec.compiler.middle.method import Loop, Method
from xlm_spec.compiler.middle.model_calls import model_calls, signature
from xlm_spec.compiler.middle.rules.finding import Finding

CODE = "X208"


def found(method: Method) -> Iterator[Finding]:
    backbone = method.spec.backbone
    for choice in method.choices:
        what = fault(choice.component, backbone.component)
        if not what:
            continue
        if choice.component.source:
            hint = f"write `model({signature(backbone.component)})`"
        else:
            known = components_of(BACKBONE).items()
            fits = [v for v, c in known if not fault(choice.component, c)]
            hint = (
                f"backbones that fit: {', '.join(fits)}; or write a {choice.axis.folder} that fits"
            )
        message = f"{choice.axis.folder} `{choice.value}` calls the model {what}"
        yield Finding(choice, message.format(f"backbone `{backbone.value}`"), hint)
    for loop in method.loops:
        yield from of_wraps(loop)


def of_wraps(loop: Loop) -> Iterator[Finding]:
    """Calls of a wrapped model with more arguments than the wrap takes."""
    users = [loop.sampling.loop, *loop.sampling.correctors]
    for wrap in reversed(loop.sampling.models):
        for user in users:
            if any(call.too_many(wrap.component) for call in model_calls(user.component)):
                message = f"{user.axis.folder} `{user.value}` calls the model with an argument"
                message = f"{message} that wrap `{wrap.value}` does not have"
                name = wrap.component.wrapper
                yield Finding(wrap, message, f"add it to `__call__` of class `{name}`")
        users = [wrap]


def fault(c: Component, backbone: Component) -> str:
    """What is wrong with the first wrong call of the model; "" if nothing."""
    for call in model_calls(c):
        if missing := call.missing(backbone):
            return f"without {' and '.join(f'`{w}`' for w in missing)}, which {{}} requires"
        if call.unknown(backbone):
            return "with an argument that {} does not have"
    return ""
