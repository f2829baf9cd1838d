"""What a component of each axis holds: the functions and classes that packages call."""

from collections.abc import Iterator
from dataclasses import dataclass

from xlm_spec.compiler.components import Component
from xlm_spec.compiler.own.misfits import MISFITS, Told


@dataclass(frozen=True)
class Interface:
    """Functions that the file defines, or a class with methods."""

    functions: tuple[str, ...] = ()
    named: bool = False  # and one that is named like the file
    class_: str = ""  # "" with methods: the frozen dataclass of the file, whatever its name
    methods: tuple[str, ...] = ()


RULE = Interface(methods=("__call__",))
INTERFACES = {
    "process": Interface(functions=("corrupt", "prior"), class_="Noised"),
    "schedule": Interface(methods=("alpha", "dalpha", "inverse")),
    "time": Interface(functions=("sample_time",)),
    "count": Interface(functions=("choose",)),
    "target": Interface(named=True),
    "loss": Interface(named=True),
    "weight": Interface(named=True),
    "sampler": Interface(functions=("times", "step")),
    "sites": RULE,
    "tokens": RULE,
    "stop": RULE,
    "remasking": RULE,
    "outer": Interface(functions=("windows", "narrow", "widen")),
    "backbone": Interface(class_="Backbone", methods=("__init__", "forward")),
}
CONSTANTS = {  # (axis, constant) -> what it may be
    ("process", "BOUND"): "a mapping from targets to functions of the count",
    ("schedule", "BOUND"): "a mapping from parameters to numbers",
    ("backbone", "EVEN"): "a mapping from parameters to parameters",
    **{
        (f, "EXACT"): "True, or a mapping from parameters to numbers"
        for f in ("sampler", "sites", "tokens", "stop", "outer")
    },
}


def lacking(c: Component) -> Iterator[Told]:
    """What keeps a component from being one of its axis: (definition, message, hint)."""
    wanted = INTERFACES[c.folder]
    functions = (*wanted.functions, *([c.value] if wanted.named else []))
    for name in functions:
        if name not in c.functions:
            hint = f"the file has {', '.join(c.functions)}" if c.functions else f"def {name}(...)"
            yield "", f"a {c.folder} has a function `{name}`", hint
    if wanted.class_ and wanted.class_ not in c.classes:
        name = wanted.class_
        hint = f"the file has {', '.join(c.classes)}" if c.classes else f"class {name}(...)"
        yield "", f"a {c.folder} has a class `{name}`", hint
    holder = wanted.class_ or c.object
    if wanted.methods and not holder:
        yield "", f"a {c.folder} is a frozen dataclass; its fields are parameters", ""
    elif wanted.methods and holder in c.methods:
        for name in wanted.methods:
            if name not in c.methods[holder]:
                yield holder, f"a {c.folder} has a method `{name}`", ""
    there = all(f in c.functions for f in functions)
    there &= all(m in c.methods.get(holder, ()) for m in wanted.methods)
    if there:
        if c.folder in MISFITS:
            yield from MISFITS[c.folder](c, holder)
        yield from constants(c)


def parameter_names(c: Component) -> set[str]:
    """However often one is declared: whether alike, is told elsewhere."""
    functions = [*c.functions.values(), *(f for of in c.methods.values() for f in of.values())]
    found = {p.name for f in functions for p in f.parameters}
    return found | {p.name for fields in c.fields.values() for p in fields}


def constants(c: Component) -> Iterator[Told]:
    """Constants that the compiler reads, of another form."""
    names = parameter_names(c)
    for (folder, name), form in CONSTANTS.items():
        value = c.constants.get(name, {})
        if folder != c.folder or (name == "EXACT" and value is True):
            continue
        right = isinstance(value, dict) and all(isinstance(k, str) for k in value)
        held = tuple(value.values()) if isinstance(value, dict) else ()
        numbers = folder == "schedule" or name == "EXACT"
        kind: type | tuple[type, ...] = (int, float) if numbers else str
        right = right and all(isinstance(v, kind) for v in held)
        right = right and (folder == "process" or names >= {*value})
        right = right and (folder != "backbone" or names >= {*held})
        if not right:
            yield "", f"`{name}` of a {folder} is {form}", ""
