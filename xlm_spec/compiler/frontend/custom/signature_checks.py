"""Functions and classes of a component whose signatures packages cannot call (X112)."""

import ast
from collections.abc import Callable, Iterator

from xlm_spec.compiler.axes import OF, WEIGHT, is_clock
from xlm_spec.compiler.components import Component, Function, component, kind, values
from xlm_spec.compiler.declarations import COUNT, ELBO_WEIGHT, IMPORTANCE, LIKE, takes_rate
from xlm_spec.compiler.middle.method import camel

Fault = tuple[str, str, str]  # the definition, the message, a hint

STATE = ("tokens", "valid", "fixed")  # the first fields of every state
NUMBERS = ("int", "float", "bool")  # types of numbers that another component owns
BUILT = ("vocab_size", "direction", "schedule")  # the arguments of a backbone's __init__
HEADS = ("width", "vocab", "vocab_size", "direction")  # of the __init__ of a head
READ = ("tokens", "valid")  # the first arguments of its forward
STATED = ("z", "x", "t", "schedule", "vocab")  # of a process' likelihood, and further schedules
TICKS = ("Interval", "Round", "Window")


def process(c: Component, _: str) -> Iterator[Fault]:
    missing = [n for n in ("tokens", "valid") if n not in c.types.get("Noised", {})]
    if missing and "Noised" in c.classes:
        message = "`Noised` must have fields `tokens` and `valid`, which the model reads"
        yield "Noised", message, f"missing: {', '.join(missing)}"
    corrupt, prior = c.functions["corrupt"], c.functions["prior"]
    if corrupt.returns != "Noised":
        declared = f"`{corrupt.returns}`" if corrupt.returns else "no return type"
        yield "corrupt", f"`corrupt` must return `Noised`, not {declared}", "write `-> Noised`"
    yield from state(c, prior)
    likelihood = c.functions.get("likelihood")
    for wire in likelihood.wires if likelihood else ():
        if wire in STATED or is_clock(wire):
            continue
        message = f"`likelihood` must not require `{wire}`: it is P(z | x, t)"
        yield "likelihood", message, f"allowed: {', '.join(STATED)}"
    if likelihood and not {"z", "x"} <= {*likelihood.wires}:
        message = "`likelihood` must require `z` and `x`: it is P(z | x, t)"
        yield "likelihood", message, f"allowed: {', '.join(STATED)}"


def count(c: Component, _: str) -> Iterator[Fault]:
    select, likelihood = c.functions["select_tokens"], c.functions.get("likelihood")
    allowed = ("corrupted", *select.wires)
    for wire in [w for w in likelihood.wires if w not in allowed] if likelihood else []:
        message = f"`likelihood` must not require `{wire}`"
        yield "likelihood", message, f"allowed: {', '.join(allowed)}"


def time(c: Component, _: str) -> Iterator[Fault]:
    density = c.functions.get("density")
    if IMPORTANCE.of(c) and not density:
        message = f"`{IMPORTANCE.name}` requires a function `density`, by which terms are divided"
        yield IMPORTANCE.name, message, "write `def density(t: Tensor) -> Tensor`"
    if density and "t" not in density.wires:
        message = "`density` must have an argument `t`, the times whose density it returns"
        yield "density", message, "write `def density(t: Tensor) -> Tensor`"
    for wire in ("hidden", "target") if density else ():
        if density and wire in density.wires:
            yield "density", f"`density` must not require `{wire}`", "allowed: what draws the times"


def roll_in(c: Component, _: str) -> Iterator[Fault]:
    kind = c.main.returns
    if "NamedTuple" not in c.bases.get(kind, ()):
        returned = f"not `{kind}`" if kind else "but has no return type"
        message = f"`{c.value}` must return a NamedTuple of its file, {returned}"
        yield c.value, message, "its fields are the wires of the new input, with `tokens`, `valid`"
        return
    missing = [n for n in ("tokens", "valid") if n not in c.types[kind]]
    if missing:
        message = f"`{kind}` must have fields `tokens` and `valid`, which the model reads"
        yield kind, message, f"missing: {', '.join(missing)}"


def target(c: Component, _: str) -> Iterator[Fault]:
    if c.main.returns in ("", "Tensor"):
        kinds = [n for n, f in component("", "types").types.items() if "row" in f]
        message = f"`{c.value}` must return positions and what to predict there"
        yield c.value, message, f"allowed: {', '.join([*kinds, 'Complete'])}, or a NamedTuple"


def loss(c: Component, _: str) -> Iterator[Fault]:
    if c.main.wires.get("target", "") in ("", "Tensor"):
        kinds = sorted({component("target", v).main.returns for v in values("target")})
        message = f"`{c.value}` must have an argument `target` with the type of a target"
        yield c.value, message, f"types of shipped targets: {', '.join(kinds)}"
    for p in (p for p in c.parameters if p.name in (WEIGHT.key, OF)):
        message = f"parameter `{p.name}` has the name of a key that every loss has"
        yield c.value, message, "rename the parameter"


def weight(c: Component, _: str) -> Iterator[Fault]:
    """A weight that declares a rate computes it from that rate."""
    declared = next((d for d in (COUNT, ELBO_WEIGHT) if d.of(c)), None)
    if declared and c.value in c.functions and not takes_rate(c):
        message = f"`{c.value}` must have an argument `rate`, because the file declares"
        yield c.value, f"{message} `{declared.name}`", f"or remove `{declared.name}`"


def sampler(c: Component, _: str) -> Iterator[Fault]:
    time_grid, step = c.functions["time_grid"], c.functions["step"]
    if not time_grid.returns.startswith("Iterator["):
        message = "`time_grid` must return an iterator over the decoding steps"
        yield "time_grid", message, f"allowed: Iterator[{'], Iterator['.join((*TICKS, 'int'))}]"
    yield from keeps_state(step)
    yield from state(c, step)


def rule(c: Component, holder: str) -> Iterator[Fault]:
    """Rules that a sampler calls: with the same number of arguments as shipped ones."""
    call = c.methods[holder].get("__call__")
    example = component(c.folder, values(c.folder)[0])
    like = example.methods[example.object]["__call__"]
    if call and len(call.wires) != len(like.wires):
        arguments = ", ".join(f"{n}: {t}" for n, t in like.wires.items())
        yield holder, f"{kind(c.folder)} must take the arguments ({arguments})", ""


def wrap(c: Component, _: str) -> Iterator[Fault]:
    """A loop around a sampler."""
    if not c.functions["windows"].returns.startswith("Iterator["):
        message = "`windows` must return an iterator over parts of the sequence"
        yield "windows", message, "write `-> Iterator[Window]`"
    for name in ("narrow", "widen"):
        yield from keeps_state(c.functions[name])


def model_wrap(c: Component) -> Iterator[Fault]:
    """A class that stands in for the model: made from it, and called like it."""
    defined = c.methods[c.wrapper]
    if next(iter(defined["__init__"].wires), "") != "model":
        message = "`__init__` must take the wrapped `model` as its first argument"
        yield c.wrapper, message, "write `def __init__(self, model, ...)`"
    call = [*defined["__call__"].wires]
    if (*call[:2], call[-1]) != (*READ, "t") or not optional_time(c):
        message = "`__call__` must take the arguments of the model"
        yield c.wrapper, message, "write `def __call__(self, tokens, valid, t=None)`"


def optional_time(c: Component) -> bool:
    """Is the last argument of `__call__` optional? Only time-conditioned backbones get a time."""
    body = getattr(c.definitions[c.wrapper].node, "body", [])
    [call] = [n for n in body if isinstance(n, ast.FunctionDef) and n.name == "__call__"]
    return len(call.args.defaults) == 1


def corrector(c: Component, _: str) -> Iterator[Fault]:
    yield from keeps_state(c.main)


def keeps_state(f: Function) -> Iterator[Fault]:
    """A function from a state to a state of the same type."""
    if "state" not in f.wires:
        yield f.name, f"`{f.name}` must have an argument `state`", "write `state: State`"
    elif not f.returns or f.wires["state"] != f.returns:
        message = f"`{f.name}` must return the same type as its argument `state`"
        yield f.name, message, f"write `-> {f.wires['state'] or 'State'}`"


def backbone(c: Component, _: str) -> Iterator[Fault]:
    build, forward = (c.methods["Backbone"][n] for n in ("__init__", "forward"))
    for wire in [w for w, a in build.wires.items() if w not in BUILT and a not in NUMBERS]:
        message = f"`Backbone.__init__` must not require `{wire}`"
        hint = f"allowed: {', '.join(BUILT)}, numbers of other components such as `block: int`"
        yield "Backbone", message, f"{hint}; write parameters after `*`"
    if tuple(forward.wires)[:2] != READ:
        message = "the first arguments of `Backbone.forward` must be `tokens` and `valid`"
        yield "Backbone", message, "write `def forward(self, tokens, valid, ...)`"
    for f in (c.methods["Backbone"].get(n) for n in ("forward", "train_pass")):
        for p in f.parameters if f else ():
            message = f"`Backbone.{f.name}` must not have a parameter `{p.name}`" if f else ""
            yield "Backbone", message, "write it in `__init__`, after `*`"
    if "width" not in {p.name for p in build.parameters}:
        message = "a backbone must have a parameter `width`, the size of its hidden states"
        yield "Backbone", message, "write, for example, `width: int = 768`"


def head(c: Component, _: str) -> Iterator[Fault]:
    """A class that derives from nn.Module, unless the head shares that of another one."""
    if LIKE.name in c.constants:
        return
    if len(c.modules) != 1:
        example = f"write `class {camel(c.value)}(nn.Module)`, or `{LIKE.line}` without a class"
        listed = ", ".join(f"`{n}`" for n in c.modules) or "none"
        message = f"a head must define one class that derives from nn.Module; this one: {listed}"
        yield "" if not c.modules else c.modules[1], message, example
        return
    name, defined = c.network, c.methods[c.network]
    for method in [m for m in ("__init__", "forward") if m not in defined]:
        yield name, f"a head must define a method `{method}`", EXAMPLES[method]
    if {"__init__", "forward"} <= {*defined}:
        wires = defined["__init__"].wires.items()
        for wire in [w for w, kind in wires if w not in HEADS and kind not in NUMBERS]:
            message = f"`{name}.__init__` must not require `{wire}`"
            yield name, message, f"allowed: {', '.join(HEADS)}; write parameters after `*`"
        forward = defined["forward"]
        if [*forward.wires] != ["hidden"] or forward.parameters:
            message = f"`{name}.forward` must have one argument, `hidden`"
            yield name, message, EXAMPLES["forward"]


EXAMPLES = {
    "__init__": "write `def __init__(self, width: int)`",
    "forward": "write `def forward(self, hidden: Tensor) -> Tensor`",
}


def state(c: Component, f: Function) -> Iterator[Fault]:
    """A state is a shipped one, or a class of the file that starts with the same fields."""
    known = shared_states()
    if f.returns in known or tuple(c.types.get(f.returns, {}))[:3] == STATE:
        return
    hint = f"{', '.join(known)}, or a NamedTuple that starts with {', '.join(STATE)}"
    yield f.name, f"`{f.name}` must return a state", f"allowed: {hint}"


def shared_states() -> list[str]:
    """The states of the shared types."""
    types = component("", "types").types
    return [n for n, fields in types.items() if tuple(fields)[:3] == STATE and n != "Examples"]


CHECKS: dict[str, Callable[[Component, str], Iterator[Fault]]] = {
    "process": process,
    "time": time,
    "count": count,
    "roll_in": roll_in,
    "target": target,
    "loss": loss,
    "weight": weight,
    "sampler": sampler,
    "order": rule,
    "tokens": rule,
    "stop": rule,
    "remasking": rule,
    "wrap": wrap,
    "corrector": corrector,
    "backbone": backbone,
    "head": head,
}
