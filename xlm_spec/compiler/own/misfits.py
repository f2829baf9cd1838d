"""What a component has, but of another kind than packages call it with."""

from collections.abc import Callable, Iterator

from xlm_spec.compiler.components import Component, Function, component, values

Told = tuple[str, str, str]  # the definition, the message, a hint

STATES = ("State", "Prefix", "GapState")
STATE = ("tokens", "valid", "fixed")  # the first fields of every state
BUILT = ("vocab_size", "direction")  # what a backbone is made with
READ = ("tokens", "valid", "t")  # what it reads
TICKS = ("Interval", "Round", "Window")


def process(c: Component, _: str) -> Iterator[Told]:
    gone = [n for n in ("tokens", "valid") if n not in c.types.get("Noised", {})]
    if gone and "Noised" in c.classes:
        told = "`Noised` begins with `tokens` and `valid`, which the network reads"
        yield "Noised", told, f"missing: {', '.join(gone)}"
    corrupt, prior = c.functions["corrupt"], c.functions["prior"]
    if corrupt.returns != "Noised":
        yield "corrupt", "`corrupt` returns Noised", f"it says {corrupt.returns or 'nothing'}"
    yield from state(c, prior)


def count(c: Component, _: str) -> Iterator[Told]:
    choose, law = c.functions["choose"], c.functions.get("likelihood")
    for wire in [w for w in law.wires if w not in ("chosen", *choose.wires)] if law else []:
        told = "`likelihood` is of what `choose` chose: it reads `chosen`, and what `choose` reads"
        yield "likelihood", told, f"`{wire}` is none of them"


def target(c: Component, _: str) -> Iterator[Told]:
    if c.main.returns in ("", "Tensor"):
        kinds = [n for n, f in component("", "types").types.items() if "row" in f]
        told = f"`{c.value}` returns the sites that it asks for, and what it wants there"
        yield c.value, told, f"-> {', '.join([*kinds, 'Complete'])}, or a NamedTuple of yours"


def loss(c: Component, _: str) -> Iterator[Told]:
    if not c.main.wires.get("target"):
        kinds = sorted({component("target", v).main.returns for v in values("target")})
        told = f"`{c.value}` reads `target`, and says of which type"
        yield c.value, told, f"one of: {', '.join(kinds)}"


def weight(c: Component, _: str) -> Iterator[Told]:
    if not isinstance(c.constants.get("COUNT"), str):
        told = "a weight has a constant `COUNT`: the function of the count that it weighs with"
        yield "", told, 'COUNT = "return_rate", or "level_weight"'


def sampler(c: Component, _: str) -> Iterator[Told]:
    times, step = c.functions["times"], c.functions["step"]
    if not times.returns.startswith("Iterator["):
        told = "`times` is an iterator over the steps"
        yield "times", told, f"-> Iterator[{'], Iterator['.join(TICKS)}] or Iterator[int]"
    if step.wires.get("state") != step.returns:
        yield "step", "`step` takes a `state` and returns the next, of the same type", ""
    yield from state(c, step)


def rule(c: Component, holder: str) -> Iterator[Told]:
    """Of the rules that a sampler calls: with what it calls the ones that ship."""
    call = c.methods[holder].get("__call__")
    example = component(c.folder, values(c.folder)[0])
    like = example.methods[example.object]["__call__"]
    if call and len(call.wires) != len(like.wires):
        words = ", ".join(f"{n}: {t}" for n, t in like.wires.items())
        yield holder, f"a {c.folder} rule is called with ({words})", ""


def outer(c: Component, _: str) -> Iterator[Told]:
    if not c.functions["windows"].returns.startswith("Iterator["):
        told = "`windows` is an iterator over parts of the text"
        yield "windows", told, "-> Iterator[Window]"


def backbone(c: Component, _: str) -> Iterator[Told]:
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
        yield "Backbone", told, 'for example SMALL = {"layers": 2, "width": 32}'


def state(c: Component, f: Function) -> Iterator[Told]:
    """A state is one of the runtime's, or a class of the file that begins alike."""
    if f.returns in STATES or tuple(c.types.get(f.returns, {}))[:3] == STATE:
        return
    hint = f"{', '.join(STATES)}, or a NamedTuple of yours that begins with {', '.join(STATE)}"
    yield f.name, f"`{f.name}` returns a state", hint


MISFITS: dict[str, Callable[[Component, str], Iterator[Told]]] = {
    "process": process,
    "count": count,
    "target": target,
    "loss": loss,
    "weight": weight,
    "sampler": sampler,
    "sites": rule,
    "tokens": rule,
    "stop": rule,
    "remasking": rule,
    "outer": outer,
    "backbone": backbone,
}
