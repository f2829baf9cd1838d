"""Calls of the model in components: do they pass what the backbone requires?

The model takes the required wires of `Backbone.forward`, then a time, then its optional wires.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from xlm_spec.compiler.components import Component, Definition
from xlm_spec.compiler.middle.network import held_models, methods, model_arguments, reached


@dataclass(frozen=True)
class ModelCall:
    """A call `model(...)`: the names of its positional arguments ("" if unknown), its keywords."""

    positional: tuple[str, ...]
    keywords: frozenset[str]

    def missing(self, backbone: Component) -> list[str]:
        """The required wires of the backbone that the call does not pass."""
        required, _ = model_arguments(methods(backbone)["forward"])
        before_time = [*self.positional, "t"].index("t")  # an argument `t` is a time
        return [w for w in required[before_time:] if w not in self.keywords]

    def unknown(self, backbone: Component) -> bool:
        """Does it pass more than the model takes?"""
        required, optional = model_arguments(methods(backbone)["forward"])
        known = [*required, "t", *optional]
        named = zip(self.positional[len(required) + 1 :], optional, strict=False)
        other = any(given not in ("", wire) for given, wire in named)
        return other or len(self.positional) > len(known) or not self.keywords <= set(known)

    def too_many(self, wrap: Component) -> bool:
        """Does it pass more than a wrap of the model takes?"""
        taken = wrap.methods[wrap.wrapper]["__call__"].wires
        return len(self.positional) > len(taken) or not self.keywords <= {*taken}

    def passes_time(self, backbone: Component) -> bool:
        required, _ = model_arguments(methods(backbone)["forward"])
        return "t" in self.keywords or len(self.positional) > len(required)


def model_calls(c: Component) -> Iterator[ModelCall]:
    """The calls of the model in a component and in the ops that it calls.

    But for those that unpack more than a tuple that the same definition assigns once.
    """
    models = {"model", *held_models(c)}
    models |= {f"{m}.forward" for m in models}
    for d in reached(c):
        for call in (n for function, n in d.calls if function in models):
            given = unpacked(call.args, d)
            if given is not None and all(k.arg for k in call.keywords):
                keywords = frozenset(k.arg for k in call.keywords if k.arg)
                yield ModelCall(tuple(map(name_of, given)), keywords)


def unpacked(arguments: list[ast.expr], d: Definition) -> list[ast.expr] | None:
    """The arguments with `*(a, b)`, and `*pair` after `pair = a, b`, unpacked; None if unknown."""
    found: list[ast.expr] = []
    for a in arguments:
        value = assigned(a.value, d) if isinstance(a, ast.Starred) else None
        if isinstance(a, ast.Starred) and not isinstance(value, ast.Tuple | ast.List):
            return None
        inner = unpacked(value.elts, d) if isinstance(value, ast.Tuple | ast.List) else [a]
        if inner is None:
            return None
        found += inner
    return found


def assigned(value: ast.expr, d: Definition) -> ast.expr | None:
    """The value itself, or what a name stands for if it is assigned once."""
    if not isinstance(value, ast.Name):
        return value
    stores = [n for n in d.nodes if isinstance(n, ast.Name) and n.id == value.id]
    if sum(isinstance(n.ctx, ast.Store) for n in stores) != 1:
        return None
    made = (n for n in d.nodes if isinstance(n, ast.Assign))
    return next((n.value for n in made if [*map(ast.unparse, n.targets)] == [value.id]), None)


def name_of(argument: ast.expr) -> str:
    """The last name in an argument: `t` in `t`, in `state.t` and in `t[rows]`."""
    while isinstance(argument, ast.Subscript):
        argument = argument.value
    if isinstance(argument, ast.Attribute):
        return argument.attr
    return argument.id if isinstance(argument, ast.Name) else ""


def signature(backbone: Component) -> str:
    """The arguments of the model, in words."""
    forward = methods(backbone)["forward"]
    required, optional = model_arguments(forward)
    named = (f"{w}={w}" for w in optional)
    return ", ".join([*required, *(["t"] if "t" in forward.wires else []), *named])
