"""Data -> lines of Python, in ruff's format, so that no formatter is needed."""

import ast
import re
import sys
import textwrap
from collections.abc import Iterable, Mapping

from xlm_spec.compiler.emit.plan import (
    Assign,
    Field,
    For,
    Function,
    Leave,
    Nats,
    Return,
    Statement,
    Value,
    Yield,
)
from xlm_spec.compiler.middle.call import Call

WIDTH = 100


def lines(
    value: Value, before: str = "", after: str = "", comment: str = "", indent: int = 0
) -> list[str]:
    """A value between `before` and `after`, on several lines if it is too long."""
    space = " " * indent
    line = f"{space}{before}{value}{after}"
    if len(line) > WIDTH and isinstance(value, Nats):
        return lines_of_nats(value, before, after, indent)
    if len(line) > WIDTH and isinstance(value, Call) and value.arguments:
        *first, last = lines_of_call(value, before, after, indent)
        return [*first, f"{last}  # {comment}" if comment else last]
    if len(line) > WIDTH and isinstance(value, str) and value.startswith("(") and " + " in value:
        added = value[1:-1].split(" + ")
        terms = [f"{space}    {'+ ' * (i > 0)}{term}" for i, term in enumerate(added)]
        return [f"{space}{before}(", *terms, f"{space}){after}"]
    return commented(line, comment)


def lines_of_call(call: Call, before: str, after: str, indent: int) -> list[str]:
    """The arguments of a call on one line of their own, or on a line each."""
    space = " " * indent
    parts = [f"{space}    {', '.join(call.arguments)}"]
    if len(parts[0]) > WIDTH:
        parts = [line for a in call.arguments for line in lines_of_argument(a, indent + 4)]
    return [f"{space}{before}{call.function}(", *parts, f"{space}){after}"]


def lines_of_argument(argument: str, indent: int) -> list[str]:
    """An argument on a line of its own; if it is too long, `name=f(...)` on several."""
    line = f"{' ' * indent}{argument},"
    found = re.fullmatch(r"(\w+=)(\w+)\((.+)\)", argument)
    if len(line) <= WIDTH or not found:
        return [line]
    name, function, inner = found.groups()
    source = f"f({inner})"
    call = ast.parse(source, mode="eval").body
    assert isinstance(call, ast.Call)
    given = (ast.get_source_segment(source, node) for node in [*call.args, *call.keywords])
    return lines_of_call(Call(function, tuple(map(str, given))), name, ",", indent)


def lines_of_nats(nats: Nats, before: str, after: str, indent: int) -> list[str]:
    """The product in parentheses on a line of its own, or its factors on lines of their own.

    As ruff does, the argument of the sum is broken if the line fits up to it.
    """
    space = " " * indent
    start = f"{space}{before}{nats}".removesuffix("1)")
    if len(start) <= WIDTH:
        return [start, f"{space}    1", f"{space}){after}"]
    if not nats.factor and not nats.divisor:
        return lines(nats.call, before, f".sum(1){after}", indent=indent)
    product = [f"{space}    {nats.factor}{nats.call}{nats.divisor}"]
    if len(product[0]) > WIDTH:
        weight = [f"{space}    {nats.weight}"] if nats.weight else []
        call = lines(nats.call, "* " * bool(nats.weight), indent=indent + 4)
        density = [f"{space}   {nats.divisor}"] if nats.divisor else []
        product = [*weight, *call, *density]
    return [f"{space}{before}(", *product, f"{space}).sum(1){after}"]


def commented(line: str, comment: str) -> list[str]:
    """A line with a comment behind it, or above it if that is too long."""
    space = line[: len(line) - len(line.lstrip())]
    whole = f"{line}  # {comment}" if comment else line
    return [f"{space}# {comment}", line] if comment and len(whole) > WIDTH else [whole]


def mapping(
    before: str, entries: Mapping[str, Value], comment: str = "", indent: int = 0
) -> list[str]:
    """`before {...}`, on one line if it fits; the comment is on the first line."""
    space, comment = " " * indent, f"  # {comment}" if comment else ""
    pairs = ", ".join(f'"{k}": {v}' for k, v in entries.items())
    line = f"{space}{before}{{{pairs}}}{comment}"
    if len(line) <= WIDTH:
        return [line]
    inner = [s for k, v in entries.items() for s in lines(v, f'"{k}": ', ",", indent=indent + 4)]
    return [f"{space}{before}{{{comment}", *inner, f"{space}}}"]


def block(statements: Iterable[Statement], indent: int) -> list[str]:
    """The statements of a body."""
    return [line for s in statements for line in statement(s, indent)]


def statement(s: Statement, indent: int) -> list[str]:
    match s:
        case Assign(name, value, shape, operator):
            return lines(value, f"{name} {operator} ", comment=shape, indent=indent)
        case Yield(value):
            return lines(value, "yield ", indent=indent)
        case Return(returns, sign):
            if isinstance(returns, dict):
                return mapping("return ", returns, indent=indent)
            return lines(returns, f"return {sign}", indent=indent)
        case Leave(condition, by):
            return [*lines(condition, "if ", ":", indent=indent), f"{' ' * indent}    {by}"]
        case For(names, iterator, body):
            head = lines(iterator, f"for {names} in ", ":", indent=indent)
            return [*head, *block(body, indent + 4)]


def function(f: Function, indent: int = 0) -> list[str]:
    """A function, with its docstring."""
    space = " " * (indent + 4)
    doc = [f"{space}{line}" for line in textwrap.wrap(f'"""{f.doc}"""', WIDTH - len(space))]
    return [*signature(f, indent), *doc, *block(f.body, indent + 4)]


def signature(f: Function, indent: int = 0) -> list[str]:
    """`def name(parameters) -> returns:`."""
    returns = f" -> {f.returns}:" if f.returns else ":"
    return lines(Call(f.name, f.parameters), "def ", returns, indent=indent)


def field(f: Field) -> list[str]:
    """The line of a field of a dataclass."""
    declared = f"{f.name}: {f.type}"
    found = lines(f.value, f"{declared} = " if f.value else declared, "", f.meaning, 4)
    if isinstance(f.value, Call) and not f.value.arguments and len(found[-1]) > WIDTH:
        return [f"    {declared} = (", f"        {f.value}", "    )"]
    return found


def imports(wanted: Mapping[str, Iterable[str]]) -> str:
    """Import statements in isort's order; `wanted[""]` lists modules for `import NAME`."""
    plain = sorted(wanted.get("", ()))
    groups: list[list[str]] = [[], [], []]
    for name in plain:
        groups[group(name.split(" ")[0])].append(f"import {name}")
    for module in sorted((m for m in wanted if m), key=str.lower):
        names = sorted(wanted[module], key=order)
        call = f"from {module} import {', '.join(names)}"
        if len(call) > WIDTH:
            call = "\n".join([f"from {module} import (", *(f"    {n}," for n in names), ")"])
        groups[group(module)].append(call)
    return "\n\n".join("\n".join(g) for g in groups if g)


def group(module: str) -> int:
    if module.startswith("."):
        return 2
    return 0 if module.split(".")[0] in sys.stdlib_module_names else 1


def order(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2
    return kind, name
