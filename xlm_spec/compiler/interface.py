"""What a component of each axis holds: the functions and classes that packages call."""

from collections.abc import Iterator
from dataclasses import dataclass

from xlm_spec.compiler.components import Component, Function, component, values
from xlm_spec.diagnostics import alternatives


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
}
STATES = ("State", "Prefix", "GapState")
STATE = ("tokens", "valid", "fixed")  # the first fields of every state
BUILT = ("vocab_size", "direction")  # what a backbone is made with
READ = ("tokens", "valid", "t")  # what it reads
TICKS = ("Interval", "Round", "Window")


def lacking(c: Component) -> Iterator[tuple[str, str, str]]:
    """What keeps a component from being one of its axis: (definition, message, hint)."""
    wanted = INTERFACES[c.folder]
    functions = (*wanted.functions, *([c.value] if wanted.named else []))
    for name in functions:
        if name not in c.functions:
            yield "", f"a {c.folder} has a function `{name}`", alternatives(name, c.functions)
    if wanted.class_ and wanted.class_ not in c.classes:
        yield "", f"a {c.folder} has a class `{wanted.class_}`", alternatives("", c.classes)
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
        yield from misfits(c, holder)
        yield from constants(c)


def constants(c: Component) -> Iterator[tuple[str, str, str]]:
    """Constants that the compiler reads, of another form."""
    names = {p.name for p in c.parameters} if c.folder in ("schedule", "backbone") else set()
    for (folder, name), form in CONSTANTS.items():
        value = c.constants.get(name, {})
        if folder != c.folder:
            continue
        right = isinstance(value, dict) and all(isinstance(k, str) for k in value)
        held = tuple(value.values()) if isinstance(value, dict) else ()
        kind: type | tuple[type, ...] = (int, float) if folder == "schedule" else str
        right = right and all(isinstance(v, kind) for v in held)
        right = right and (not names or names >= {*value})
        right = right and (folder != "backbone" or names >= {*held})
        if not right:
            yield "", f"`{name}` of a {folder} is {form}", ""


def misfits(c: Component, holder: str) -> Iterator[tuple[str, str, str]]:
    """Where what is there is of another kind than packages call."""
    match c.folder:
        case "process":
            gone = [n for n in ("tokens", "valid") if n not in c.types.get("Noised", {})]
            if gone and "Noised" in c.classes:
                told = "`Noised` begins with `tokens` and `valid`, which the network reads"
                yield "Noised", told, f"missing: {', '.join(gone)}"
            yield from returning(c, c.functions["corrupt"], ("Noised",))
            yield from state(c, c.functions["prior"], c.functions["prior"].returns)
        case "target":
            if c.main.returns in ("", "Tensor"):
                kinds = [n for n, f in component("", "types").types.items() if "row" in f]
                told = f"`{c.value}` returns the sites that it asks for, and what it wants there"
                yield (
                    c.value,
                    told,
                    f"-> {', '.join([*kinds, 'Complete'])}, or a NamedTuple of yours",
                )
        case "loss":
            if not c.main.wires.get("target"):
                kinds = sorted({component("target", v).main.returns for v in values("target")})
                told = f"`{c.value}` reads `target`, and says of which type"
                yield c.value, told, f"one of: {', '.join(kinds)}"
        case "sampler":
            times, step = c.functions["times"], c.functions["step"]
            if not times.returns.startswith("Iterator["):
                told = "`times` is an iterator over the steps"
                yield "times", told, f"-> Iterator[{'], Iterator['.join(TICKS)}] or Iterator[int]"
            if step.wires.get("state") != step.returns:
                yield "step", "`step` takes a `state` and returns the next, of the same type", ""
            yield from state(c, step, step.returns)
        case "sites" | "tokens" | "stop" | "remasking":
            call = c.methods[holder].get("__call__")
            example = component(c.folder, values(c.folder)[0])
            like = example.methods[example.object]["__call__"]
            if call and len(call.wires) != len(like.wires):
                words = ", ".join(f"{n}: {t}" for n, t in like.wires.items())
                yield holder, f"a {c.folder} rule is called with ({words})", ""
        case "weight" if not isinstance(c.constants.get("COUNT"), str):
            told = "a weight has a constant `COUNT`: the function of the count that it weighs with"
            yield "", told, 'COUNT = "return_rate", or "level_weight"'
        case "outer":
            if not c.functions["windows"].returns.startswith("Iterator["):
                yield (
                    "windows",
                    "`windows` is an iterator over parts of the text",
                    "-> Iterator[Window]",
                )
        case "backbone":
            build, forward = (c.methods["Backbone"][n] for n in ("__init__", "forward"))
            for f, known in ((build, BUILT), (forward, READ)):
                for wire in [w for w in f.wires if w not in known]:
                    told = f"`Backbone.{f.name}` is called with {', '.join(known)}"
                    yield "Backbone", told, f"`{wire}` is none of them; parameters stand behind `*`"
            if "width" not in {p.name for p in build.parameters}:
                told = "a backbone has a parameter `width`, which the heads are made for"
                yield "Backbone", told, "width: int = 768"
            if not isinstance(c.constants.get("SMALL"), dict):
                told = "a backbone has a constant `SMALL`: the numbers of a tiny one, for tests"
                yield "", told, 'for example SMALL = {"layers": 2, "width": 32}'


def returning(c: Component, f: Function, known: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    if f.returns not in known:
        told = f"`{f.name}` returns {' or '.join(known)}"
        yield f.name, told, f"it says {f.returns or 'nothing'}"


def state(c: Component, f: Function, kind: str) -> Iterator[tuple[str, str, str]]:
    """A state is one of the runtime's, or a class of the file that begins alike."""
    if kind in STATES:
        return
    fields = tuple(c.types.get(kind, {}))
    if fields[:3] != STATE:
        told = f"`{f.name}` returns a state"
        hint = f"{', '.join(STATES)}, or a NamedTuple of yours that begins with {', '.join(STATE)}"
        yield f.name, told, hint
