"""The interface of each axis: the functions and classes that packages call (X112)."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from xlm_spec.compiler.components import Component, kind
from xlm_spec.compiler.declarations import of_axis
from xlm_spec.compiler.frontend.custom.result_checks import results
from xlm_spec.compiler.frontend.custom.signature_checks import CHECKS, Fault, model_wrap
from xlm_spec.compiler.middle.likelihood import is_elbo_weight


@dataclass(frozen=True)
class Interface:
    """The functions or the class that a file must define."""

    functions: tuple[str, ...] = ()
    named: bool = False  # also a function that is named like the file
    class_: str = ""  # "" with methods: the frozen dataclass of the file, with any name
    methods: tuple[str, ...] = ()


RULE = Interface(methods=("__call__",))
INTERFACES = {
    "process": Interface(functions=("corrupt", "prior"), class_="Noised"),
    "schedule": Interface(methods=("alpha", "dalpha", "inverse")),
    "time": Interface(functions=("sample_time",)),
    "count": Interface(functions=("select_tokens",)),
    "roll_in": Interface(named=True),
    "target": Interface(named=True),
    "loss": Interface(named=True),
    "weight": Interface(named=True),
    "sampler": Interface(functions=("time_grid", "step")),
    "order": RULE,
    "tokens": RULE,
    "stop": RULE,
    "remasking": RULE,
    "wrap": Interface(functions=("windows", "narrow", "widen")),
    "corrector": Interface(named=True),
    "head": Interface(),
    "backbone": Interface(class_="Backbone", methods=("__init__", "forward")),
}


def is_declared(weight: Component) -> bool:
    """Is the weight declared, so that it needs no function? X116 reports a misspelt declaration."""
    known = is_elbo_weight(weight) or not {*weight.constants} <= {*of_axis("weight")}
    return known and not weight.functions


def interface_faults(c: Component) -> Iterator[Fault]:
    """Missing definitions, then wrong signatures: (definition, message, hint)."""
    interface = INTERFACES[c.folder]
    if c.folder == "wrap" and not set(interface.functions) & {*c.functions}:
        yield from model_wrap_faults(c)
        return
    named = interface.named and not (c.folder == "weight" and is_declared(c))
    functions = (*interface.functions, *([c.value] if named else []))
    for name in functions:
        if name not in c.functions:
            write = f"write `def {name}(...)`"
            hint = f"the file defines: {', '.join(c.functions)}" if c.functions else write
            yield "", f"{kind(c.folder)} must define a function `{name}`", hint
    if interface.class_ and interface.class_ not in c.classes:
        name = interface.class_
        write = f"write `class {name}(...)`"
        hint = f"the file defines: {', '.join(c.classes)}" if c.classes else write
        yield "", f"{kind(c.folder)} must define a class `{name}`", hint
    holder = interface.class_ or c.object
    if interface.methods and not holder:
        yield (
            "",
            f"{kind(c.folder)} must define a frozen dataclass, whose fields are parameters",
            "",
        )
    elif interface.methods and holder in c.methods:
        for name in interface.methods:
            if name not in c.methods[holder]:
                yield holder, f"{kind(c.folder)} must define a method `{name}`", ""
    if interface.methods and not interface.class_ and holder and not is_frozen(c, holder):
        message = f"the dataclass `{holder}` of {kind(c.folder)} must be frozen"
        yield holder, message, "write `@dataclass(frozen=True)`"
    complete = all(f in c.functions for f in functions)
    complete &= all(m in c.methods.get(holder, ()) for m in interface.methods)
    if complete and c.folder in CHECKS:
        yield from CHECKS[c.folder](c, holder)
    if complete:
        yield from results(c)


def is_frozen(c: Component, name: str) -> bool:
    """Is a dataclass frozen? A package has one object of it in its Config."""
    decorators = getattr(c.definitions[name].node, "decorator_list", [])
    return any("frozen=True" in ast.unparse(d) for d in decorators)


def model_wrap_faults(c: Component) -> Iterator[Fault]:
    """The faults of a wrap that is no loop: it wraps the model."""
    if not c.wrapper or "__init__" not in c.methods[c.wrapper]:
        loop = "`windows`, `narrow` and `widen` (a loop around the sampler)"
        message = f"a wrap must define the functions {loop}"
        message = f"{message}, or a class with `__init__` and `__call__` (a wrap of the model)"
        yield c.wrapper, message, f"the file defines: {', '.join([*c.functions, *c.classes])}"
    else:
        yield from model_wrap(c)
