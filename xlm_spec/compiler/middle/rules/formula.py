"""Evaluates formulas of a component from its source, without running it.

Supports the Python that a schedule needs: arithmetic, names, parameters, properties and methods of
`self`, functions of `math`, functions of torch that `math` also has, and `.clamp`.
"""

import ast
import math
import operator
from collections.abc import Callable, Mapping

Numbers = Mapping[str, float]
BINARY: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
TORCH = {"abs": abs, "square": lambda x: x * x, "sigmoid": lambda x: 1 / (1 + math.exp(-x))}
MAX_DEPTH = 64  # of properties that read properties


class Unknown(Exception):
    """An expression that is not supported."""


class Formula:
    """The methods of a class, evaluated with given values of its fields."""

    def __init__(self, class_: ast.ClassDef, numbers: Numbers):
        self.methods = {n.name: n for n in class_.body if isinstance(n, ast.FunctionDef)}
        self.numbers = numbers

    def __call__(self, name: str, *arguments: float, depth: int = 0) -> float:
        """The value that a method returns. Raises Unknown, or errors of arithmetic."""
        method = self.methods.get(name)
        if method is None or depth > MAX_DEPTH:
            raise Unknown(name)
        given = [a.arg for a in method.args.args[1:]]
        if len(given) != len(arguments):
            raise Unknown(name)
        scope = dict(zip(given, arguments, strict=True))
        for line in method.body:
            match line:
                case ast.Expr(value=ast.Constant()):
                    continue
                case ast.Assign(targets=[ast.Name(id=target)], value=value):
                    scope[target] = self.value(value, scope, depth)
                case ast.Return(value=ast.expr() as value):
                    return self.value(value, scope, depth)
                case _:
                    break
        raise Unknown(name)

    def value(self, node: ast.expr, scope: Numbers, depth: int) -> float:
        def of(inner: ast.expr) -> float:
            return self.value(inner, scope, depth)

        match node:
            case ast.Constant(value=int() | float() as number):
                return float(number)
            case ast.Name(id=name) if name in scope:
                return scope[name]
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                known = self.numbers.get(name)
                return self(name, depth=depth + 1) if known is None else float(known)
            case ast.Attribute(value=ast.Name(id="math"), attr="pi" | "e" | "tau" as name):
                return float(getattr(math, name))
            case ast.Call(func=ast.Attribute(value=ast.Name(id="self"), attr=name), keywords=[]):
                return self(name, *map(of, node.args), depth=depth + 1)
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return -of(inner)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
                return real(BINARY[type(op)](of(left), of(right)))
            case ast.Call(func=ast.Attribute(value=ast.Name(id="torch" | "math"), attr=name)):
                return self.called(name, [of(a) for a in node.args])
            case ast.Call(func=ast.Attribute(value=inner, attr="clamp"), args=[]):
                ends = {k.arg: of(k.value) for k in node.keywords}
                return min(max(of(inner), ends.get("min", -math.inf)), ends.get("max", math.inf))
            case _:
                raise Unknown(ast.unparse(node))

    def called(self, name: str, given: list[float]) -> float:
        match name, given:
            case "full_like", [_, number]:
                return number
            case "ones_like" | "zeros_like", [_]:
                return float(name == "ones_like")
            case _:
                function = TORCH.get(name) or getattr(math, name, None)
                if not callable(function) or name.startswith("_"):
                    raise Unknown(name)
                return real(function(*given))


def real(number: object) -> float:
    """Raises Unknown if a power is not a real number."""
    if not isinstance(number, int | float):
        raise Unknown(str(number))
    return float(number)
