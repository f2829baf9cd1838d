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
        self.method.problems.append(self.spec.diagnostic(code, choice, message, hint))

    def default(self, axis: Axis, given: Choice | None, readers: list[Function]) -> Choice | None:
        """What the spec chose, or the default where somebody reads it."""
        read = any(axis.wire in f.wires for f in readers)
        if given and not read:
            self.problem("X204", given, f"nothing reads `{axis.path}`", "leave it out")
            return None
        if read and not given and axis.default:
            path = tuple(axis.path.split("."))
            return Choice(axis, component(axis.folder, axis.default), path)
        return given

    def call(self, choice: Choice, f: Function, scope: Scope, place: str = "") -> Call:
        """The call of a component's function; `place` is where its parameters live."""
        self.missing(choice, [wire for wire in f.wires if wire not in scope], scope)
        arguments = [scope.get(wire, wire) for wire in f.wires]
        arguments += [f"{p.name}={place}.{p.name}" for p in f.parameters]
        return Call(f.name, tuple(arguments))

    def missing(self, choice: Choice, wires: list[str], scope: Scope) -> None:
        """Nothing makes these wires, which a component reads."""
        for rule in (a for a in axes.RULES if a.wire in wires):
            told = f"sampler `{choice.value}` needs `{rule.key}`: {rule.meaning}"
            self.problem("X203", choice, told, f"add `{rule.key}:` one of {', '.join(cards(rule))}")
        others = [w for w in wires if w not in {a.wire for a in axes.RULES}]
        if others:
            all_of = cards(axes.PROCESS).values()
            makers = [f"`{c.value}`" for c in all_of if set(others) <= set(c.types["Noised"])]
            *first, last = (f"`{w}`" for w in others)
            listed = f"{', '.join(first)} and {last}" if first else last
            told = f"{choice.axis.folder} `{choice.value}` reads {listed}"
            here = f"wires here: {', '.join(sorted(scope))}"
            hint = f"made by process {' or '.join(makers)}" if makers else here
            self.problem("X201", choice, f"{told}, which nothing in this spec makes", hint)
