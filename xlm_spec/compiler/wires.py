"""Wires traced: tensors match by name, targets by type, parameters belong to their component."""

from xlm_spec.compiler import axes
from xlm_spec.compiler.axes import Axis, cards
from xlm_spec.compiler.code import Call
from xlm_spec.compiler.components import Function, component
from xlm_spec.compiler.method import Method
from xlm_spec.compiler.spec import Choice, Spec

Scope = dict[str, str]  # the name of a wire -> the expression that holds it


class Wires:
    """A method on its way; what does not fit is collected as problems."""

    def __init__(self, spec: Spec):
        self.spec, self.method = spec, Method(spec)

    def problem(self, code: str, choice: Choice, message: str, hint: str = "") -> None:
        doc = self.spec.document
        self.method.problems.append(doc.diagnostic(code, message, choice.path, hint))

    def default(self, axis: Axis, given: Choice | None, readers: list[Function]) -> Choice | None:
        """What the spec chose, or the default where somebody reads it."""
        read = any(axis.wire in f.wires for f in readers)
        if given and not read:
            self.problem("X204", given, f"nothing reads `{axis.path}`", "leave it out")
        if read and not given and axis.default:
            path = tuple(axis.path.split("."))
            return Choice(axis, component(axis.folder, axis.default), path)
        return given

    def call(self, choice: Choice, f: Function, scope: Scope, place: str = "") -> Call:
        """The call of a component's function; `place` is where its parameters live."""
        arguments = []
        for wire in f.wires:
            if wire not in scope:
                self.missing(choice, wire, scope)
            arguments.append(scope.get(wire, wire))
        arguments += [f"{p.name}={place}.{p.name}" for p in f.parameters]
        return Call(f.name, tuple(arguments))

    def missing(self, choice: Choice, wire: str, scope: Scope) -> None:
        makers = [c.value for c in cards(axes.PROCESS).values() if wire in c.types["Noised"]]
        rule = next((a for a in axes.RULES if a.wire == wire), None)
        if rule:
            self.problem(
                "X203",
                choice,
                f"sampler `{choice.value}` needs `{rule.key}`: {rule.meaning}",
                f"add `{rule.key}:` one of {', '.join(cards(rule))}",
            )
            return
        made = " or ".join(f"`{m}`" for m in makers)
        hint = f"made by process {made}" if makers else f"wires here: {', '.join(sorted(scope))}"
        what = f"{choice.axis.folder} `{choice.value}` reads `{wire}`"
        self.problem("X201", choice, f"{what}, which nothing in this spec makes", hint)
